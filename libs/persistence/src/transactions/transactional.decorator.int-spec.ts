import { Injectable, SetMetadata } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { Test } from '@nestjs/testing';
import { Database } from '../database/database.ts';
import { provisionedDatabase, type ProvisionedDatabase } from '../testing/index.ts';
import { currentTransaction } from './transaction.ts';
import { Transactional } from './transactional.decorator.ts';

@Injectable()
class Notes {
  constructor(private readonly database: Database) {}

  @Transactional()
  async add(id: string): Promise<string> {
    await this.database.query('INSERT INTO note VALUES ($1)', [id]);
    return id;
  }

  @Transactional()
  @SetMetadata('mark', 'below')
  async addBoth(a: string, b: string): Promise<unknown> {
    await this.add(a);
    await this.add(b);
    return currentTransaction();
  }
}

@Injectable()
class MoreNotes extends Notes {
  @Transactional({ readOnly: true })
  peek(): Promise<string> {
    return this.add('from a reader');
  }
}

let provisioned: ProvisionedDatabase;
let database: Database;
let notes: MoreNotes;

beforeAll(async () => {
  provisioned = await provisionedDatabase({
    services: { notes: [{ name: '0001', up: 'CREATE TABLE note (id text PRIMARY KEY)' }] },
  });
  database = await provisioned.open('notes');
  const module = await Test.createTestingModule({
    providers: [{ provide: Database, useValue: database }, Notes, MoreNotes],
  }).compile();
  notes = module.get(MoreNotes);
}, 60_000);
afterAll(() => provisioned.drop());
beforeEach(() => database.query('DELETE FROM note'));

describe('@Transactional', () => {
  it('makes one transaction of a method and those it calls', async () => {
    expect(await notes.addBoth('a', 'b')).toBeDefined();
    await expect(notes.addBoth('c', 'c')).rejects.toMatchObject({ code: '23505' });
    expect(await database.query('SELECT id FROM note ORDER BY id')).toEqual([
      { id: 'a' },
      { id: 'b' },
    ]);
    expect(currentTransaction()).toBeUndefined();
  });

  it('holds for methods of a subclass and of its parent alike', async () => {
    expect(await notes.add('a')).toBe('a');
    await expect(notes.peek()).rejects.toThrow('read-only');
  });

  it('gives each call at the same time a transaction of its own', async () => {
    const seen = await Promise.all([notes.addBoth('a', 'b'), notes.addBoth('c', 'd')]);
    expect(new Set(seen).size).toBe(2);
  });

  it('keeps the metadata of decorators below it', () => {
    expect(new Reflector().get('mark', notes.addBoth)).toBe('below');
  });

  it('says so when the class is not a provider', async () => {
    const stray = new Notes(database);
    await expect(Promise.resolve().then(() => stray.add('a'))).rejects.toThrow(
      'Notes.add: its class is not a provider',
    );
  });
});
