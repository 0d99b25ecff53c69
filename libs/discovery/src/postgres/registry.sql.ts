/**
 * The lease table and the directory of the embedded profile, in schema `platform`.
 *
 * A service's role reaches them through these functions alone. Which service is calling is taken from
 * `session_user` (`<service>_app`), which SECURITY DEFINER does not change; nobody but the provisioner, who owns
 * the functions, can write the directory. Times are the database's own, so that no two clocks are compared.
 */
export const registrySql = /* sql */ `
-- Unlogged: leases outlive no crash by design (instances register again within a renewal), and a renewal every
-- three seconds an instance should not cost an fsync. Half-empty pages keep the updates in place.
CREATE UNLOGGED TABLE platform.lease (
  service text NOT NULL,
  instance_id text NOT NULL CHECK (length(instance_id) BETWEEN 1 AND 128),
  entry text NOT NULL CHECK (length(entry) <= 8192),
  expires_at timestamptz NOT NULL,
  PRIMARY KEY (service, instance_id)
) WITH (fillfactor = 50);

CREATE TABLE platform.directory (
  serial bigint PRIMARY KEY,
  document text NOT NULL,
  written_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE FUNCTION platform.lease_owner(p_service text) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF session_user <> p_service || '_app' THEN
    RAISE EXCEPTION 'role % may not write instances of service %', session_user, p_service USING ERRCODE = 'insufficient_privilege';
  END IF;
  RETURN p_service;
END $$;

CREATE FUNCTION platform.lease_put(p_service text, p_instance_id text, p_entry text, p_lease_ms integer) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  v_owner text := platform.lease_owner(p_service);
BEGIN
  -- SKIP LOCKED: two services that clean up at once never wait for each other.
  DELETE FROM platform.lease WHERE (service, instance_id) IN (
    SELECT service, instance_id FROM platform.lease
     WHERE expires_at <= clock_timestamp() AND (service, instance_id) <> (v_owner, p_instance_id)
       FOR UPDATE SKIP LOCKED);
  IF (SELECT count(*) >= 256 FROM platform.lease WHERE service = v_owner AND instance_id <> p_instance_id) THEN
    RAISE EXCEPTION 'service % has 256 instances already', v_owner USING ERRCODE = 'configuration_limit_exceeded';
  END IF;
  INSERT INTO platform.lease AS l (service, instance_id, entry, expires_at)
  VALUES (v_owner, p_instance_id, p_entry, clock_timestamp() + make_interval(secs => least(greatest(p_lease_ms, 100), 60000) / 1000.0))
  ON CONFLICT (service, instance_id) DO UPDATE SET entry = excluded.entry, expires_at = excluded.expires_at;
  PERFORM pg_notify('gatehouse_registry', '');
END $$;

CREATE FUNCTION platform.lease_renew(p_service text, p_instance_id text, p_lease_ms integer) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  v_owner text := platform.lease_owner(p_service);
BEGIN
  UPDATE platform.lease
     SET expires_at = clock_timestamp() + make_interval(secs => least(greatest(p_lease_ms, 100), 60000) / 1000.0)
   WHERE service = v_owner AND instance_id = p_instance_id AND expires_at > clock_timestamp();
  RETURN FOUND;
END $$;

CREATE FUNCTION platform.lease_remove(p_service text, p_instance_id text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  v_owner text := platform.lease_owner(p_service);
BEGIN
  DELETE FROM platform.lease WHERE service = v_owner AND instance_id = p_instance_id;
  IF FOUND THEN
    PERFORM pg_notify('gatehouse_registry', '');
  END IF;
END $$;

CREATE FUNCTION platform.lease_list()
RETURNS TABLE (service text, instance_id text, entry text, remaining_ms double precision)
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT l.service, l.instance_id, l.entry, (extract(epoch FROM l.expires_at - clock_timestamp()) * 1000)::double precision
    FROM platform.lease l WHERE l.expires_at > clock_timestamp()
$$;

CREATE FUNCTION platform.directory_read() RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT document FROM platform.directory ORDER BY serial DESC LIMIT 1
$$;

CREATE FUNCTION platform.directory_write(p_serial bigint, p_document text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  LOCK TABLE platform.directory IN EXCLUSIVE MODE;
  IF p_serial <= coalesce((SELECT max(serial) FROM platform.directory), 0) THEN
    RAISE EXCEPTION 'a directory of serial % or higher is there already', p_serial USING ERRCODE = 'unique_violation';
  END IF;
  DELETE FROM platform.directory;
  INSERT INTO platform.directory (serial, document) VALUES (p_serial, p_document);
  PERFORM pg_notify('gatehouse_registry', '');
END $$;

REVOKE ALL ON TABLE platform.lease, platform.directory FROM PUBLIC;
REVOKE ALL ON FUNCTION platform.lease_owner(text), platform.directory_write(bigint, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION
  platform.lease_put(text, text, text, integer), platform.lease_renew(text, text, integer),
  platform.lease_remove(text, text), platform.lease_list(), platform.directory_read() TO PUBLIC;
`;
