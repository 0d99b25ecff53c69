# One server, which is its own agent. Who may do what: docker/engines/consul/acl.hcl, to which secrets.js adds tokens.
server = true
bootstrap_expect = 1
datacenter = "dc1"
node_name = "consul"
client_addr = "0.0.0.0"
data_dir = "/consul/data"
ports { dns = -1, grpc = -1, grpc_tls = -1 }
connect { enabled = false }
disable_update_check = true
leave_on_terminate = false
