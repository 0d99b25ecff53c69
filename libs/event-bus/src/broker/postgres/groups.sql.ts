/**
 * Consumer groups: who reads which partition, and how far the group has come.
 *
 * A member is in the group as long as it calls `bus_sync` within its session. A change of members makes a new plan (a
 * new `generation`) that moves as few partitions as balance needs. Moving is in two steps, so that records are not
 * handled twice without need: the old owner sees `revoking`, ends what it has in hand and releases; only then, or once
 * its session is over, the new one becomes owner. Each ownership has its own `epoch`; a commit under a superseded one
 * changes nothing and answers false, so that a member that slept through its session cannot move the group's offset.
 */
export const groupsSql = `
CREATE TABLE platform.bus_groups (
  name text PRIMARY KEY CHECK (length(name) <= 200),
  generation bigint NOT NULL DEFAULT 0
);

CREATE TABLE platform.bus_members (
  group_name text NOT NULL REFERENCES platform.bus_groups (name),
  member text NOT NULL,
  topics text[] NOT NULL,
  expires_at timestamptz NOT NULL,
  PRIMARY KEY (group_name, member)
) WITH (fillfactor = 50);

CREATE TABLE platform.bus_assignments (
  group_name text NOT NULL REFERENCES platform.bus_groups (name),
  topic text NOT NULL,
  partition integer NOT NULL,
  committed bigint NOT NULL,
  owner text,
  planned text,
  epoch bigint NOT NULL DEFAULT 0,
  PRIMARY KEY (group_name, topic, partition)
) WITH (fillfactor = 50);

-- Sticky: what has a living planned member stays, what has none goes to the least loaded, then loads are evened out.
CREATE FUNCTION platform.bus_plan(p_group text) RETURNS void
LANGUAGE plpgsql SET search_path = platform, pg_temp AS $$
DECLARE v_slot record; v_member text;
BEGIN
  UPDATE bus_assignments a SET owner = NULL
  WHERE a.group_name = p_group AND a.owner IS NOT NULL
    AND NOT EXISTS (SELECT FROM bus_members m WHERE m.group_name = p_group AND m.member = a.owner);

  UPDATE bus_assignments a SET planned = NULL
  WHERE a.group_name = p_group AND a.planned IS NOT NULL
    AND NOT EXISTS (SELECT FROM bus_members m
                    WHERE m.group_name = p_group AND m.member = a.planned AND a.topic = ANY (m.topics));

  FOR v_slot IN SELECT topic, partition FROM bus_assignments
                WHERE group_name = p_group AND planned IS NULL ORDER BY topic, partition LOOP
    SELECT m.member INTO v_member FROM bus_members m
    WHERE m.group_name = p_group AND v_slot.topic = ANY (m.topics)
    ORDER BY (SELECT count(*) FROM bus_assignments a WHERE a.group_name = p_group AND a.planned = m.member), m.member
    LIMIT 1;
    UPDATE bus_assignments SET planned = v_member
    WHERE group_name = p_group AND topic = v_slot.topic AND partition = v_slot.partition;
  END LOOP;

  LOOP
    WITH loads AS (
      SELECT m.member, m.topics,
        (SELECT count(*) FROM bus_assignments a WHERE a.group_name = p_group AND a.planned = m.member) AS n
      FROM bus_members m WHERE m.group_name = p_group
    )
    SELECT a.topic, a.partition, low.member INTO v_slot
    FROM loads high
    JOIN loads low ON high.n > low.n + 1
    JOIN bus_assignments a ON a.group_name = p_group AND a.planned = high.member AND a.topic = ANY (low.topics)
    ORDER BY high.n - low.n DESC, high.member, low.member, a.topic, a.partition
    LIMIT 1;
    EXIT WHEN NOT FOUND;
    UPDATE bus_assignments SET planned = v_slot.member
    WHERE group_name = p_group AND topic = v_slot.topic AND partition = v_slot.partition;
  END LOOP;

  UPDATE bus_groups SET generation = generation + 1 WHERE name = p_group;
END $$;

-- Joins, renews, releases what the member has let go, takes what is free for it; returns what it owns now.
CREATE FUNCTION platform.bus_sync(
  p_group text, p_member text, p_topics text[], p_from_head boolean, p_session_ms integer,
  p_released_topics text[], p_released_partitions integer[]
)
RETURNS TABLE (topic text, partition integer, epoch bigint, committed bigint, head bigint, revoking boolean, generation bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = platform, pg_temp AS $$
#variable_conflict use_column
DECLARE
  v_changed boolean := false;
  v_released boolean := false;
  v_now timestamptz;
BEGIN
  PERFORM bus_own(p_group);
  INSERT INTO bus_groups (name) VALUES (p_group) ON CONFLICT DO NOTHING;
  PERFORM FROM bus_groups g WHERE g.name = p_group FOR UPDATE;
  v_now := clock_timestamp();

  UPDATE bus_members m SET expires_at = v_now + make_interval(secs => p_session_ms / 1000.0)
  WHERE m.group_name = p_group AND m.member = p_member AND m.topics = p_topics;
  IF NOT FOUND THEN
    INSERT INTO bus_members AS m (group_name, member, topics, expires_at)
    VALUES (p_group, p_member, p_topics, v_now + make_interval(secs => p_session_ms / 1000.0))
    ON CONFLICT (group_name, member) DO UPDATE SET topics = excluded.topics, expires_at = excluded.expires_at;
    v_changed := true;
  END IF;

  DELETE FROM bus_members m WHERE m.group_name = p_group AND m.expires_at < v_now;
  v_changed := v_changed OR FOUND;

  INSERT INTO bus_assignments (group_name, topic, partition, committed)
  SELECT p_group, p.topic, p.partition, CASE WHEN p_from_head THEN p.next_offset ELSE 0 END
  FROM bus_partitions p WHERE p.topic = ANY (p_topics)
  ON CONFLICT DO NOTHING;
  v_changed := v_changed OR FOUND;

  UPDATE bus_assignments a SET owner = NULL
  FROM unnest(p_released_topics, p_released_partitions) r (topic, partition)
  WHERE a.group_name = p_group AND a.topic = r.topic AND a.partition = r.partition
    AND a.owner = p_member AND a.planned IS DISTINCT FROM p_member;
  v_released := FOUND;

  IF v_changed THEN PERFORM bus_plan(p_group); END IF;

  UPDATE bus_assignments a SET owner = p_member, epoch = a.epoch + 1
  WHERE a.group_name = p_group AND a.planned = p_member AND a.owner IS NULL;

  IF v_changed OR v_released THEN PERFORM pg_notify('gatehouse_log', 'group ' || p_group); END IF;

  RETURN QUERY
  SELECT a.topic, a.partition, a.epoch, a.committed, p.next_offset, a.planned IS DISTINCT FROM p_member, g.generation
  FROM bus_assignments a
  JOIN bus_partitions p ON p.topic = a.topic AND p.partition = a.partition
  JOIN bus_groups g ON g.name = a.group_name
  WHERE a.group_name = p_group AND a.owner = p_member;
END $$;

-- False: the ownership under which the member read is over.
CREATE FUNCTION platform.bus_commit(p_group text, p_member text, p_topic text, p_partition integer, p_epoch bigint, p_offset bigint)
RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = platform, pg_temp AS $$
BEGIN
  PERFORM bus_own(p_group);
  UPDATE bus_assignments SET committed = greatest(committed, p_offset)
  WHERE group_name = p_group AND topic = p_topic AND partition = p_partition AND owner = p_member AND epoch = p_epoch;
  RETURN FOUND;
END $$;

CREATE FUNCTION platform.bus_leave(p_group text, p_member text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = platform, pg_temp AS $$
BEGIN
  PERFORM bus_own(p_group);
  PERFORM FROM bus_groups WHERE name = p_group FOR UPDATE;
  DELETE FROM bus_members WHERE group_name = p_group AND member = p_member;
  IF FOUND THEN
    PERFORM bus_plan(p_group);
    PERFORM pg_notify('gatehouse_log', 'group ' || p_group);
  END IF;
END $$;

GRANT EXECUTE ON FUNCTION
  platform.bus_sync(text, text, text[], boolean, integer, text[], integer[]),
  platform.bus_commit(text, text, text, integer, bigint, bigint),
  platform.bus_leave(text, text)
TO PUBLIC; -- whoever has USAGE of the schema; each function asks for itself who is calling
`;
