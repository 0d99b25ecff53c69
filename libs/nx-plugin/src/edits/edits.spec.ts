import { describe, expect, it } from '@jest/globals';
import type { Tree } from '@nx/devkit';
import { createTreeWithEmptyWorkspace } from '@nx/devkit/testing';

import { ModuleMap } from './module-map.js';
import { addRpc, protoNames } from './proto-edit.js';
import { SourceEdit } from './source-edit.js';
import { namesOf } from '../names/names.js';

const orders = { names: namesOf('orders'), root: 'apps/orders' };
const MODULE = 'apps/orders/src/orders.module.ts';

/** As a team may have written it: comments, an odd layout, modules of its own. */
const BY_HAND = `// Ours.
import { GuardsModule } from '@gatehouse/guards';
import { Module } from '@nestjs/common';
import type { Deep } from './deep.ts'; // providers: []

/* providers: [NotHere] */
export const text = 'providers: [NorHere]';

@Module({
  imports: [ GuardsModule.forService(), Ours.for({ providers: [NotThese] }), ],
  providers: [
    A, // the first
    // the last
  ],
})
export class OrdersModule {}
`;

function treeWith(file: string, text: string): Tree {
  const tree = createTreeWithEmptyWorkspace();
  tree.write(file, text);
  return tree;
}

describe('an edit of a module', () => {
  it('adds where the language says, and moves nothing else', () => {
    const tree = treeWith(MODULE, BY_HAND);
    new ModuleMap(tree, orders)
      .add('providers', 'B', './b.ts')
      .add('controllers', 'C', './c.ts')
      .addPermission("{ name: 'orders.x.y' }");
    const after = tree.read(MODULE, 'utf8') ?? '';
    expect(after).toContain('A, B, // the first');
    expect(after).toContain('// the last');
    expect(after).toContain('Ours.for({ providers: [NotThese] })');
    expect(after).toContain("GuardsModule.forService({ permissions: [{ name: 'orders.x.y' }] })");
    expect(after).toContain('controllers: [C]');
    expect(after).toContain("import type { Deep } from './deep.ts';\nimport { B } from './b.ts';");
    for (const line of ['// Ours.', '/* providers: [NotHere] */', "'providers: [NorHere]'"]) {
      expect(after).toContain(line);
    }
  });

  it('adds once', () => {
    const tree = treeWith(MODULE, BY_HAND);
    const add = () => new ModuleMap(tree, orders).add('providers', 'B', './b.ts');
    add();
    const once = tree.read(MODULE, 'utf8');
    add();
    expect(tree.read(MODULE, 'utf8')).toBe(once);
  });

  it('lets a service call another one, and then another one', () => {
    const tree = treeWith(MODULE, BY_HAND);
    new ModuleMap(tree, orders).addClient('aV1', 'a').addClient('bV1', 'b');
    expect(tree.read(MODULE, 'utf8')).toContain('ClientsModule.forFeature([aV1, bV1])');
  });

  it('says what is missing', () => {
    expect(() => new ModuleMap(createTreeWithEmptyWorkspace(), orders)).toThrow(
      `${MODULE} is missing`,
    );
    const tree = treeWith(MODULE, 'export class OrdersModule {}');
    expect(() => new ModuleMap(tree, orders).add('providers', 'B', './b.ts')).toThrow(
      '@Module of OrdersModule is not to be found',
    );
    expect(() => new ModuleMap(tree, orders).addEntity('B', './b.ts')).toThrow('entities');
  });
});

describe('an import', () => {
  const edited = (text: string, ...names: string[]) => {
    const tree = treeWith('a.ts', text);
    new SourceEdit(tree, 'a.ts').import('x', names);
    return tree.read('a.ts', 'utf8');
  };

  it('joins one of the same module', () => {
    expect(edited("import { a } from 'x';\n", 'b', 'type C')).toBe(
      "import { a, b, type C } from 'x';\n",
    );
  });

  it('does not make a value of a type', () => {
    expect(edited("import type { A } from 'x';\n", 'b')).toBe(
      "import type { A } from 'x';\nimport { b } from 'x';\n",
    );
  });

  it('is not made twice', () => {
    const text = "import { a, type B } from 'x';\n";
    expect(edited(text, 'a', 'type B')).toBe(text);
  });

  it('begins a file that has none', () => {
    expect(edited('export {};\n', 'a')).toBe("import { a } from 'x';\n\nexport {};\n");
  });
});

describe('an edit of a .proto', () => {
  const proto = `syntax = "proto3";
package a.v1;
// service Orders { }
service Other { rpc X(XRequest) returns (XRequest); }
service Orders {
  // }
  rpc Get(XRequest) returns (XRequest) {
    option idempotency_level = NO_SIDE_EFFECTS; // "}"
  }
}
message XRequest { string id = 1; }
`;

  it('adds to the service that is named, whatever comments say', () => {
    const after = addRpc(proto, 'Orders', {
      method: '  rpc Put(YRequest) returns (XRequest);',
      messages: 'message YRequest {}',
    });
    const orders = after.slice(after.indexOf('\nservice Orders'));
    expect(orders).toContain('  }\n  rpc Put(YRequest) returns (XRequest);\n}\nmessage XRequest');
    expect(after.endsWith('\n\nmessage YRequest {}\n')).toBe(true);
    expect(protoNames(after).names).toEqual(
      expect.arrayContaining(['Orders', 'Get', 'Put', 'XRequest', 'YRequest']),
    );
  });

  it('refuses a service that is not there', () => {
    expect(() => addRpc(proto, 'Lines', { method: '', messages: '' })).toThrow('no service Lines');
  });
});
