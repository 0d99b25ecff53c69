import protobuf from 'protobufjs';

/**
 * Adds a method, and the messages it takes and gives, to a service of a .proto file. Where the service ends is read with
 * protobuf's own tokens, so that comments and strings confuse nothing.
 *
 * @param {string} source
 * @param {string} service
 * @param {{ method: string; messages: string }} added
 * @returns {string}
 */
export function addRpc(source, service, { method, messages }) {
  const lines = source.split('\n');
  const end = lineOfEnd(source, service);
  lines.splice(end - 1, 0, method);
  return `${lines.join('\n').trimEnd()}\n\n${messages.trim()}\n`;
}

/**
 * The services of a .proto file and the names of all that stands at its top level.
 *
 * @param {string} source
 */
export function protoNames(source) {
  const { root } = protobuf.parse(source, { keepCase: true });
  /** @type {{ services: string[]; names: string[] }} */
  const found = { services: [], names: [] };
  /** @param {protobuf.NamespaceBase} namespace */
  const visit = (namespace) => {
    for (const each of namespace.nestedArray) {
      if (each instanceof protobuf.Service) found.services.push(each.name);
      if (each.constructor === protobuf.Namespace) visit(each);
      else found.names.push(each.name);
      if (each instanceof protobuf.Service)
        found.names.push(...each.methodsArray.map((method) => method.name));
    }
  };
  visit(root);
  return found;
}

/**
 * The line of the bracket that ends a service.
 *
 * @param {string} source
 * @param {string} service
 */
function lineOfEnd(source, service) {
  const tokens = protobuf.tokenize(source, false);
  let depth = 0;
  let inside = false;
  let previous = '';
  for (let token = tokens.next(); token !== null; token = tokens.next()) {
    if (depth === 0 && previous === 'service' && token === service) inside = true;
    if (token === '{') depth += 1;
    if (token === '}') {
      depth -= 1;
      if (depth === 0 && inside) return tokens.line;
    }
    previous = token;
  }
  throw new Error(`there is no service ${service} in the .proto`);
}
