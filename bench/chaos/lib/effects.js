/**
 * Counts in the database how often a handler took effect, apart from what the platform says of itself: a row for each
 * committed change of a credential to "disabled" (Auth's handler of a deactivation makes one each time it runs, and looks
 * at nothing that was there before), and for each binding dropped.
 */
export async function countEffects(platform) {
  const query = platform.database('public');
  await query(`
    CREATE SCHEMA chaos;
    CREATE TABLE chaos.effects (kind text NOT NULL, subject uuid NOT NULL, at timestamptz NOT NULL DEFAULT clock_timestamp());
    CREATE FUNCTION chaos.note_disabled() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS
      $$ BEGIN INSERT INTO chaos.effects (kind, subject) VALUES ('disabled', NEW.user_id); RETURN NULL; END $$;
    CREATE FUNCTION chaos.note_dropped() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS
      $$ BEGIN INSERT INTO chaos.effects (kind, subject) VALUES ('binding dropped', OLD.id); RETURN NULL; END $$;
    CREATE TRIGGER chaos_note AFTER UPDATE ON auth.credentials
      FOR EACH ROW WHEN (NEW.disabled AND NOT NEW.deleted) EXECUTE FUNCTION chaos.note_disabled();
    CREATE TRIGGER chaos_note AFTER DELETE ON authz.bindings
      FOR EACH ROW EXECUTE FUNCTION chaos.note_dropped();
  `);
}

/**
 * Holds whoever gets to a place in the database until it is released. Of a process that was killed there the
 * connections are ended before that: they do not go on, as those of a dead machine would not.
 */
export class Barrier {
  #query;
  #lock;
  #drop;

  /** @param {string} trigger SQL of it, with `chaos.hold()` as its function: `BEFORE DELETE ON ... FOR EACH STATEMENT` */
  static async raise(platform, table, trigger) {
    const barrier = new Barrier();
    barrier.#query = platform.database('public');
    barrier.#lock = await platform.session();
    await barrier.#lock.query('SELECT pg_advisory_lock(4242)');
    await barrier.#query(`
      CREATE OR REPLACE FUNCTION chaos.hold() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
      BEGIN
        PERFORM pg_advisory_xact_lock_shared(4242);
        RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
      END $$;
      ${trigger}`);
    barrier.#drop = `DROP TRIGGER chaos_hold ON ${table}`;
    return barrier;
  }

  /** Connections that wait at it. */
  async held() {
    const rows = await this.#query(
      `SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND objid = 4242 AND NOT granted
       AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
    );
    return rows.map(({ pid }) => pid);
  }

  /** Every connection of a service whose process was killed, whatever it had still asked for. */
  async endConnectionsOf(service) {
    await this.#query(
      `SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
       WHERE usename = $1 AND datname = current_database()`,
      [`${service}_app`],
    );
  }

  async release() {
    await this.#lock.query('SELECT pg_advisory_unlock(4242)');
    await this.#lock.end();
    await this.#query(this.#drop);
  }
}
