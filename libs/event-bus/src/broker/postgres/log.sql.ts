/**
 * The log: topics with a fixed number of partitions, records with an offset each, and the only ways to them.
 *
 * Every function runs as the owner of schema `platform` and takes the service from `session_user`, which neither
 * SET ROLE nor a function can change: a service appends to `<service>.*` alone, whatever its payload claims.
 *
 * An offset is drawn under the partition's row lock, held until COMMIT: offsets have no gaps, and a reader who sees
 * one sees every lower one. The lock is the log writer's own, taken in offset order, never part of business work.
 */
export const logSql = `
CREATE TABLE platform.bus_topics (
  name text PRIMARY KEY CHECK (length(name) <= 200 AND name ~ '^[a-z][a-z0-9_-]*(\\.[a-z0-9_-]+)+$'),
  partitions integer NOT NULL CHECK (partitions BETWEEN 1 AND 256),
  created_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE TABLE platform.bus_partitions (
  topic text NOT NULL REFERENCES platform.bus_topics (name),
  partition integer NOT NULL,
  next_offset bigint NOT NULL DEFAULT 0,
  PRIMARY KEY (topic, partition)
) WITH (fillfactor = 50);

CREATE TABLE platform.bus_log (
  topic text NOT NULL,
  partition integer NOT NULL,
  "offset" bigint NOT NULL,
  key text NOT NULL,
  value text,
  headers jsonb NOT NULL,
  source text NOT NULL,
  appended_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (topic, partition, "offset")
) WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_insert_scale_factor = 0.1);

CREATE FUNCTION platform.bus_caller() RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF session_user !~ '^[a-z][a-z0-9_-]*_app$' THEN
    RAISE insufficient_privilege USING MESSAGE = format('"%s" is not a service''s role', session_user);
  END IF;
  RETURN left(session_user, -4);
END $$;

CREATE FUNCTION platform.bus_own(p_name text) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF p_name IS NULL OR NOT starts_with(p_name, platform.bus_caller() || '.') THEN
    RAISE insufficient_privilege USING MESSAGE = format('"%s" does not belong to "%s"', p_name, platform.bus_caller());
  END IF;
END $$;

-- Equal keys, equal partition, on every version of PostgreSQL: hashtext makes no such promise.
CREATE FUNCTION platform.bus_partition_of(p_key text, p_partitions integer) RETURNS integer
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  SELECT ((('x' || substr(md5(p_key), 1, 8))::bit(32)::bigint & 2147483647) % p_partitions)::integer
$$;

CREATE FUNCTION platform.bus_create_topic(p_name text, p_partitions integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = platform, pg_temp AS $$
DECLARE v_partitions integer;
BEGIN
  PERFORM bus_own(p_name);
  INSERT INTO bus_topics (name, partitions) VALUES (p_name, p_partitions) ON CONFLICT DO NOTHING;
  IF FOUND THEN
    INSERT INTO bus_partitions (topic, partition) SELECT p_name, generate_series(0, p_partitions - 1);
    PERFORM pg_notify('gatehouse_log', p_name);
  END IF;
  SELECT partitions INTO STRICT v_partitions FROM bus_topics WHERE name = p_name;
  RETURN v_partitions;
END $$;

CREATE FUNCTION platform.bus_append(p_topics text[], p_keys text[], p_values text[], p_headers jsonb[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = platform, pg_temp AS $$
DECLARE
  v_service text := bus_caller();
  v_topic text;
  v_partitions integer[];
BEGIN
  FOR v_topic IN SELECT DISTINCT t FROM unnest(p_topics) t LOOP
    PERFORM bus_own(v_topic);
    IF NOT EXISTS (SELECT FROM bus_topics WHERE name = v_topic) THEN
      RAISE undefined_object USING MESSAGE = format('there is no topic "%s"', v_topic);
    END IF;
  END LOOP;

  SELECT array_agg(bus_partition_of(u.key, t.partitions) ORDER BY u.ord) INTO v_partitions
  FROM unnest(p_topics, p_keys) WITH ORDINALITY u (topic, key, ord) JOIN bus_topics t ON t.name = u.topic;

  -- One order for all writers, so that two of them never wait for each other in a circle.
  PERFORM FROM bus_partitions p
  WHERE (p.topic, p.partition) IN (SELECT u.topic, u.partition FROM unnest(p_topics, v_partitions) u (topic, partition))
  ORDER BY p.topic, p.partition FOR UPDATE;

  WITH records AS (
    SELECT u.*, row_number() OVER (PARTITION BY u.topic, u.partition ORDER BY u.ord) - 1 AS place
    FROM unnest(p_topics, v_partitions, p_keys, p_values, p_headers)
      WITH ORDINALITY u (topic, partition, key, value, headers, ord)
  ), counted AS (
    SELECT topic, partition, count(*) AS n FROM records GROUP BY topic, partition
  ), moved AS (
    UPDATE bus_partitions p SET next_offset = p.next_offset + c.n FROM counted c
    WHERE p.topic = c.topic AND p.partition = c.partition
    RETURNING p.topic, p.partition, p.next_offset - c.n AS base
  )
  INSERT INTO bus_log (topic, partition, "offset", key, value, headers, source)
  SELECT r.topic, r.partition, m.base + r.place, r.key, r.value, r.headers, v_service
  FROM records r JOIN moved m ON m.topic = r.topic AND m.partition = r.partition
  ORDER BY r.topic, r.partition, r.place;

  FOR v_topic IN SELECT DISTINCT t FROM unnest(p_topics) t LOOP
    PERFORM pg_notify('gatehouse_log', v_topic);
  END LOOP;
END $$;

-- The next records of several partitions: at most p_limit records and about p_bytes each, but never none of what is there.
CREATE FUNCTION platform.bus_fetch(p_topics text[], p_partitions integer[], p_offsets bigint[], p_limit integer, p_bytes integer)
RETURNS TABLE (topic text, partition integer, "offset" bigint, key text, value text, headers jsonb, source text, appended_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = platform, pg_temp AS $$
  SELECT r.topic, r.partition, r."offset", r.key, r.value, r.headers, r.source, r.appended_at
  FROM unnest(p_topics, p_partitions, p_offsets) w (topic, partition, "from")
  CROSS JOIN LATERAL (
    SELECT l.*, sum(octet_length(coalesce(l.value, ''))) OVER (ORDER BY l."offset") - octet_length(coalesce(l.value, '')) AS before
    FROM (
      SELECT * FROM bus_log
      WHERE bus_log.topic = w.topic AND bus_log.partition = w.partition AND bus_log."offset" >= w."from"
      ORDER BY bus_log."offset" LIMIT p_limit
    ) l
  ) r
  WHERE r.before < p_bytes
  ORDER BY r.topic, r.partition, r."offset"
$$;

CREATE FUNCTION platform.bus_heads(p_topics text[]) RETURNS TABLE (topic text, partition integer, head bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = platform, pg_temp AS $$
  SELECT topic, partition, next_offset FROM bus_partitions WHERE topic = ANY (p_topics)
$$;

-- Deletes the caller's own records older than an age, oldest first, at most p_limit a partition; returns how many.
CREATE FUNCTION platform.bus_prune(p_older_than interval, p_limit integer) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = platform, pg_temp AS $$
DECLARE
  v_service text := bus_caller();
  v_partition record;
  v_deleted bigint;
  v_total bigint := 0;
BEGIN
  FOR v_partition IN SELECT topic, partition FROM bus_partitions WHERE starts_with(topic, v_service || '.') LOOP
    DELETE FROM bus_log l USING (
      SELECT "offset" FROM bus_log
      WHERE topic = v_partition.topic AND partition = v_partition.partition ORDER BY "offset" LIMIT p_limit
    ) o
    WHERE l.topic = v_partition.topic AND l.partition = v_partition.partition AND l."offset" = o."offset"
      AND l.appended_at < clock_timestamp() - p_older_than;
    GET DIAGNOSTICS v_deleted = ROW_COUNT;
    v_total := v_total + v_deleted;
  END LOOP;
  RETURN v_total;
END $$;

GRANT EXECUTE ON FUNCTION
  platform.bus_create_topic(text, integer),
  platform.bus_append(text[], text[], text[], jsonb[]),
  platform.bus_fetch(text[], integer[], bigint[], integer, integer),
  platform.bus_heads(text[]),
  platform.bus_prune(interval, integer)
TO PUBLIC; -- whoever has USAGE of the schema; each function asks for itself who is calling
`;
