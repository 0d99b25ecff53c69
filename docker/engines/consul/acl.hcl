# Consul as the platform expects it: nobody may do anything until a token says so.
acl {
  enabled        = true
  default_policy = "deny"
  # The agent's own token (PUT /v1/agent/token/agent) outlives a restart.
  enable_token_persistence = true
}

# Each process keeps up to four connections to the agent of its machine; Consul takes 200 from one address by default.
limits {
  http_max_conns_per_client = 1000
}
