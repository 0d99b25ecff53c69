import ts from 'typescript';

import { argumentOf, arrayOf, callOf, classOf, decoratorArgument, valueOf } from './find.js';
import { SourceEdit } from './source-edit.js';

/** @typedef {import('@nx/devkit').Tree} Tree */
/** @typedef {import('../workspace/services.js').Service} Service */

/**
 * A service's module: the map in which everything of it is wired.
 */
export class ModuleMap {
  /** @type {SourceEdit} */
  #edit;
  /** @type {string} */
  #name;

  /**
   * @param {Tree} tree
   * @param {Pick<Service, 'names' | 'root'>} service
   */
  constructor(tree, { names, root }) {
    this.#edit = new SourceEdit(tree, `${root}/src/${names.kebab}.module.ts`);
    this.#name = `${names.pascal}Module`;
  }

  get text() {
    return this.#edit.text;
  }

  /**
   * Imports a class and puts it into `controllers` or `providers`.
   *
   * @param {'controllers' | 'providers' | 'imports'} list
   * @param {string} name
   * @param {string} from
   */
  add(list, name, from) {
    this.#edit.import(from, [name]);
    this.#listed(list, name);
    return this;
  }

  /**
   * @param {string} name of the entity
   * @param {string} from
   */
  addEntity(name, from) {
    this.#edit.import(from, [name]);
    const options = argumentOf(this.#class, 'PersistenceModule.forService');
    this.#edit.element(arrayOf(options, 'entities'), name, 'entities of PersistenceModule');
    return this;
  }

  /**
   * What the service serves over gRPC.
   *
   * @param {string} contract
   * @param {string} from
   */
  addGrpc(contract, from) {
    this.#edit.import(from, [contract]);
    this.#inCall('KernelModule.forService', 'grpc', contract);
    return this;
  }

  /**
   * What the service calls.
   *
   * @param {string} contract
   * @param {string} from
   */
  addClient(contract, from) {
    this.#edit.import(from, [contract]).import('@gatehouse/clients', ['ClientsModule']);
    const call = callOf(this.#class, 'ClientsModule.forFeature');
    const [list] = call?.arguments ?? [];
    if (list && ts.isArrayLiteralExpression(list)) {
      this.#edit.element(list, contract, 'ClientsModule.forFeature');
    } else {
      this.#listed('imports', `ClientsModule.forFeature([${contract}])`);
    }
    return this;
  }

  /**
   * A permission that no route names.
   *
   * @param {string} permission an object literal
   */
  addPermission(permission) {
    this.#inCall('GuardsModule.forService', 'permissions', permission);
    return this;
  }

  /** @param {string} callee @param {string} member @param {string} element */
  #inCall(callee, member, element) {
    const call = callOf(this.#class, callee);
    if (!call) throw new Error(`${this.#name}: ${callee} is not to be found`);
    const [argument] = call.arguments;
    if (!argument) {
      this.#edit.replace(call, `${callee}({ ${member}: [${element}] })`);
      return;
    }
    const object = argumentOf(this.#class, callee);
    if (valueOf(object, member)) {
      this.#edit.element(arrayOf(object, member), element, `${member} of ${callee}`);
    } else {
      this.#edit.property(object, `${member}: [${element}]`, callee);
    }
  }

  /** @param {string} list @param {string} element */
  #listed(list, element) {
    const module = decoratorArgument(this.#class, 'Module');
    if (valueOf(module, list)) {
      this.#edit.element(arrayOf(module, list), element, `${list} of ${this.#name}`);
    } else {
      this.#edit.property(module, `${list}: [${element}]`, `@Module of ${this.#name}`);
    }
  }

  get #class() {
    const found = classOf(this.#edit.file, this.#name);
    if (!found) throw new Error(`the class ${this.#name} is not to be found in its module`);
    return found;
  }
}
