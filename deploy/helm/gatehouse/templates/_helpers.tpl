{{/* The release's own prefix of names. */}}
{{- define "gatehouse.fullname" -}}
{{- if contains "gatehouse" .Release.Name }}{{ .Release.Name | trunc 40 | trimSuffix "-" }}{{ else }}{{ printf "%s-gatehouse" .Release.Name | trunc 40 | trimSuffix "-" }}{{ end }}
{{- end }}

{{/* What every pod of the release has, and nothing else: what policies are about. */}}
{{- define "gatehouse.releaseLabels" -}}
app.kubernetes.io/name: gatehouse
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "gatehouse.labels" -}}
{{ include "gatehouse.releaseLabels" . }}
app.kubernetes.io/version: {{ .Values.image.tag | default .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{/* Of one service, given (dict "root" $ "name" name). `component` is its bare name: the job that dashboards know. */}}
{{- define "gatehouse.selector" -}}
{{ include "gatehouse.releaseLabels" .root }}
app.kubernetes.io/component: {{ .name }}
{{- end }}

{{/* A service's values over the defaults, as JSON. Lists and scalars are replaced, maps are merged. */}}
{{- define "gatehouse.service" -}}
{{- mergeOverwrite (deepCopy .root.Values.defaults) (deepCopy (index .root.Values.services .name | default dict)) | toJson }}
{{- end }}

{{- define "gatehouse.secretName" -}}
{{- $service := include "gatehouse.service" . | fromJson }}
{{- $service.existingSecret | default (printf "%s-%s" (include "gatehouse.fullname" .root) .name) }}
{{- end }}

{{- define "gatehouse.image" -}}
{{ .root.Values.image.repository }}/{{ .name }}:{{ .root.Values.image.tag | default .root.Chart.AppVersion }}
{{- end }}

{{- define "gatehouse.podSecurity" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
# Credentials are files that this group may read.
fsGroup: 65532
fsGroupChangePolicy: OnRootMismatch
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{- define "gatehouse.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end }}

{{/* DISCOVERY_STATIC: every service at its headless name. The dot at the end: asked as it is written. */}}
{{- define "gatehouse.places" -}}
{{- $places := list }}
{{- range $name, $_ := .Values.services }}
{{- $places = append $places (printf "%s=%s-%s-headless.%s.svc.%s:3900" $name (include "gatehouse.fullname" $) $name $.Release.Namespace $.Values.discovery.static.clusterDomain) }}
{{- end }}
{{- join ";" $places }}
{{- end }}

{{/* Keys of the secret that the process is given as files. The migrator's connection is for the migration alone. */}}
{{- define "gatehouse.secretKeys" -}}
{{- $values := .root.Values }}
{{- $service := include "gatehouse.service" . | fromJson }}
{{- $keys := list "service-key" "trust-anchor" "database-url" }}
{{- if $service.database }}{{ $keys = concat $keys (list "page-token-key" "data-encryption-key") }}{{ end }}
{{- if and $values.kafka.brokers $values.kafka.saslMechanism }}{{ $keys = concat $keys (list "kafka-username" "kafka-password") }}{{ end }}
{{- if and (eq $values.discovery.kind "consul") $values.discovery.consul.authentication }}{{ $keys = append $keys "consul-http-token" }}{{ end }}
{{- if and $values.redis.url $values.redis.authentication }}{{ $keys = concat $keys (list "redis-username" "redis-password") }}{{ end }}
{{- concat $keys $service.secretKeys | uniq | toJson }}
{{- end }}

{{- define "gatehouse.environment" -}}
{{- $values := .root.Values }}
{{- $service := include "gatehouse.service" . | fromJson }}
- name: POD_IP
  valueFrom: { fieldRef: { fieldPath: status.podIP } }
{{- if eq $values.discovery.kind "consul" }}
- name: HOST_IP
  valueFrom: { fieldRef: { fieldPath: status.hostIP } }
{{- end }}
{{- $env := dict
  "ADVERTISE_HOST" "$(POD_IP)"
  "ADMIN_HOST" "0.0.0.0"
  "AUTH_ISSUER" (required "issuer is required: the address that clients know the gateway by" $values.issuer)
  "GATEHOUSE_CREDENTIALS_DIR" "/run/gatehouse"
  "SHUTDOWN_DRAIN_SECONDS" (toString $values.shutdown.drainSeconds)
  "SHUTDOWN_TIMEOUT_SECONDS" (toString $values.shutdown.timeoutSeconds)
  "MALLOC_MMAP_THRESHOLD_" "4194304"
}}
{{- with $values.kafka.brokers }}
{{- $_ := set $env "KAFKA_BROKERS" . }}
{{- $_ := set $env "KAFKA_TLS" (ternary "on" "off" $values.kafka.tls) }}
{{- with $values.kafka.saslMechanism }}{{ $_ := set $env "KAFKA_SASL_MECHANISM" . }}{{ end }}
{{- end }}
{{- with $values.redis.url }}{{ $_ := set $env "REDIS_URL" . }}{{ end }}
{{- if eq $values.discovery.kind "consul" }}
{{- $_ := set $env "CONSUL_HTTP_ADDR" (printf "%s://$(HOST_IP):%v" $values.discovery.consul.scheme $values.discovery.consul.port) }}
{{- else if eq $values.discovery.kind "static" }}
{{- $_ := set $env "DISCOVERY_STATIC" (include "gatehouse.places" .root) }}
{{- $_ := set $env "GATEHOUSE_DIRECTORY_FILE" (printf "/etc/gatehouse/%s" $values.discovery.static.directoryKey) }}
{{- end }}
{{- $env = mergeOverwrite $env $values.env $service.env }}
{{- range $name, $value := $env }}
- name: {{ $name }}
  value: {{ $value | toString | quote }}
{{- end }}
{{- end }}

{{- define "gatehouse.volumeMounts" -}}
- { name: credentials, mountPath: /run/gatehouse, readOnly: true }
{{- if eq .root.Values.discovery.kind "static" }}
- { name: directory, mountPath: /etc/gatehouse, readOnly: true }
{{- end }}
{{- end }}

{{/* Given "keys" besides root and name. */}}
{{- define "gatehouse.volumes" -}}
- name: credentials
  secret:
    secretName: {{ include "gatehouse.secretName" . }}
    defaultMode: 0440
    items:
      {{- range .keys }}
      - { key: {{ . }}, path: {{ . }} }
      {{- end }}
{{- if eq .root.Values.discovery.kind "static" }}
- name: directory
  configMap:
    name: {{ .root.Values.discovery.static.directoryConfigMap }}
{{- end }}
{{- end }}
