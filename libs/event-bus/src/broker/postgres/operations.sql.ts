/**
 * What operators ask of the log, and the end of groups nobody is in any more.
 *
 * Of topics anybody may ask, for anybody may read them; of a group its own service alone. `emptied_at` is written when
 * the last member leaves; a member that died is known by its session.
 */
export const operationsSql = `
ALTER TABLE platform.bus_groups ADD COLUMN emptied_at timestamptz NOT NULL DEFAULT clock_timestamp();

CREATE OR REPLACE FUNCTION platform.bus_leave(p_group text, p_member text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = platform, pg_temp AS $$
BEGIN
  PERFORM bus_own(p_group);
  PERFORM FROM bus_groups WHERE name = p_group FOR UPDATE;
  DELETE FROM bus_members WHERE group_name = p_group AND member = p_member;
  IF FOUND THEN
    UPDATE bus_groups SET emptied_at = clock_timestamp()
    WHERE name = p_group AND NOT EXISTS (SELECT FROM bus_members WHERE group_name = p_group);
    PERFORM bus_plan(p_group);
    PERFORM pg_notify('gatehouse_log', 'group ' || p_group);
  END IF;
END $$;

CREATE FUNCTION platform.bus_ranges(p_topics text[])
RETURNS TABLE (topic text, partition integer, first bigint, next bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = platform, pg_temp AS $$
  SELECT p.topic, p.partition,
    coalesce((SELECT min(l."offset") FROM bus_log l WHERE l.topic = p.topic AND l.partition = p.partition), p.next_offset),
    p.next_offset
  FROM bus_partitions p WHERE p.topic = ANY (p_topics)
  ORDER BY p.topic, p.partition
$$;

CREATE FUNCTION platform.bus_group_members(p_group text) RETURNS SETOF text
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = platform, pg_temp AS $$
BEGIN
  PERFORM bus_own(p_group);
  RETURN QUERY SELECT m.member FROM bus_members m
  WHERE m.group_name = p_group AND m.expires_at >= clock_timestamp() ORDER BY m.member;
END $$;

CREATE FUNCTION platform.bus_group_positions(p_group text, p_topics text[])
RETURNS TABLE (topic text, partition integer, first bigint, next bigint, committed bigint, owner text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = platform, pg_temp AS $$
BEGIN
  PERFORM bus_own(p_group);
  RETURN QUERY
  SELECT r.topic, r.partition, r.first, r.next, a.committed, m.member
  FROM bus_ranges(p_topics) r
  LEFT JOIN bus_assignments a ON a.group_name = p_group AND a.topic = r.topic AND a.partition = r.partition
  LEFT JOIN bus_members m ON m.group_name = p_group AND m.member = a.owner AND m.expires_at >= clock_timestamp()
  ORDER BY r.topic, r.partition;
END $$;

CREATE FUNCTION platform.bus_abandoned(p_group platform.bus_groups, p_for interval) RETURNS boolean
LANGUAGE sql VOLATILE SET search_path = platform, pg_temp AS $$
  SELECT p_group.emptied_at < clock_timestamp() - p_for
    AND NOT EXISTS (SELECT FROM bus_members m
                    WHERE m.group_name = p_group.name AND m.expires_at >= clock_timestamp() - p_for)
$$;

-- Forgets the caller's groups that have had no member for that long; returns how many. Nobody joins a group meanwhile:
-- the lock waits for every bus_sync at work, and lets none begin.
CREATE FUNCTION platform.bus_prune_groups(p_older_than interval) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = platform, pg_temp AS $$
DECLARE
  v_groups text[];
BEGIN
  IF NOT EXISTS (SELECT FROM bus_groups WHERE starts_with(name, bus_caller() || '.') AND bus_abandoned(bus_groups, p_older_than)) THEN
    RETURN 0;
  END IF;
  LOCK TABLE bus_groups IN SHARE ROW EXCLUSIVE MODE;
  SELECT array_agg(name) INTO v_groups FROM bus_groups
  WHERE starts_with(name, bus_caller() || '.') AND bus_abandoned(bus_groups, p_older_than);
  DELETE FROM bus_assignments WHERE group_name = ANY (v_groups);
  DELETE FROM bus_members WHERE group_name = ANY (v_groups);
  DELETE FROM bus_groups WHERE name = ANY (v_groups);
  RETURN coalesce(cardinality(v_groups), 0);
END $$;

GRANT EXECUTE ON FUNCTION
  platform.bus_ranges(text[]),
  platform.bus_group_members(text),
  platform.bus_group_positions(text, text[]),
  platform.bus_prune_groups(interval)
TO PUBLIC; -- whoever has USAGE of the schema; each function asks for itself who is calling
`;
