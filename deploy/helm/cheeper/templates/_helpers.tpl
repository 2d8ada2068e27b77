{{- define "cheeper.fullname" -}}
{{ .Release.Name | trunc 40 | trimSuffix "-" }}
{{- end }}

{{/* The labels that select the pods of a part: (dict "root" $ "part" name). */}}
{{- define "cheeper.selector" -}}
app.kubernetes.io/name: cheeper
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .part }}
{{- end }}

{{- define "cheeper.labels" -}}
{{ include "cheeper.selector" . }}
app.kubernetes.io/version: {{ .root.Values.image.tag | default .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ .root.Chart.Name }}-{{ .root.Chart.Version }}
{{- end }}

{{/* The name and labels of an object of a part: (dict "root" $ "part" name). */}}
{{- define "cheeper.metadata" -}}
name: {{ include "cheeper.fullname" .root }}-{{ .part }}
labels:
  {{- include "cheeper.labels" . | nindent 2 }}
{{- end }}

{{/* The containers' rights: none, whatever the image says. */}}
{{- define "cheeper.podSecurity" -}}
runAsNonRoot: true
runAsUser: {{ . }}
runAsGroup: {{ . }}
fsGroup: {{ . }}
fsGroupChangePolicy: OnRootMismatch
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{/* The variables of a role or job: its groups, its own, and the paths of the files with its secrets. */}}
{{- define "cheeper.env" -}}
{{- $root := .root -}}
{{- $found := dict -}}
{{- range .role.groups -}}
  {{- $found = merge $found (index $root.Values.env .) -}}
{{- end -}}
{{- $found = merge (deepCopy .role.env) $found -}}
{{- range $name, $value := $found -}}
{{- $text := tpl (toString $value) $root -}}
{{- if $text }}
- {name: {{ $name }}, value: {{ $text | quote }}}
{{- end -}}
{{- end -}}
{{- range $name, $ := .role.secrets }}
- {name: {{ $name }}_FILE, value: /run/secrets/cheeper/{{ $name | lower | replace "_" "-" }}}
{{- end -}}
{{- range $name, $ := .role.folders }}
- {name: {{ $name }}, value: /run/folders/{{ $name | lower | replace "_" "-" }}}
{{- end -}}
{{- end }}

{{- define "cheeper.mounts" -}}
- {name: tmp, mountPath: /tmp}
{{- if .role.secrets }}
- {name: secrets, mountPath: /run/secrets/cheeper, readOnly: true}
{{- end }}
{{- if and .root.Values.ca.secret (ne .role.image "gateway") }}
- {name: ca, mountPath: /run/ca, readOnly: true}
{{- end }}
{{- range $name, $ := .role.folders }}
- {name: {{ $name | lower | replace "_" "-" }}, mountPath: /run/folders/{{ $name | lower | replace "_" "-" }}, readOnly: true}
{{- end }}
{{- range $name, $ := .role.files }}
- {name: {{ $name }}, mountPath: /run/folders/{{ $name }}, readOnly: true}
{{- end }}
{{- end }}

{{- define "cheeper.volumes" -}}
- name: tmp
  emptyDir: {sizeLimit: 16Mi}
{{- if .role.secrets }}
- name: secrets
  projected:
    defaultMode: 0440
    sources:
      {{- range $name, $key := .role.secrets }}
      - secret: {name: {{ $key.name }}, items: [{key: {{ $key.key }}, path: {{ $name | lower | replace "_" "-" }}}]}
      {{- end }}
{{- end }}
{{- if and .root.Values.ca.secret (ne .role.image "gateway") }}
- name: ca
  secret: {secretName: {{ tpl .root.Values.ca.secret .root }}, items: [{key: {{ .root.Values.ca.key }}, path: ca.crt}]}
{{- end }}
{{- range $name, $secret := .role.folders }}
- name: {{ $name | lower | replace "_" "-" }}
  secret: {secretName: {{ $secret }}, defaultMode: 0440}
{{- end }}
{{- range $name, $secret := .role.files }}
- name: {{ $name }}
  secret: {secretName: {{ $secret }}, defaultMode: 0440}
{{- end }}
{{- end }}

{{/* A container without its ports and probes: (dict "root" $ "part" name "role" role). */}}
{{- define "cheeper.container" -}}
name: {{ .part }}
image: {{ .root.Values.image.prefix }}cheeper-{{ .role.image }}:{{ .root.Values.image.tag | default .root.Chart.AppVersion }}
imagePullPolicy: {{ .root.Values.image.pullPolicy }}
args: {{ .role.args | toJson }}
env:
  {{- include "cheeper.env" . | nindent 2 }}
resources: {{ .role.resources | default .root.Values.resources | toJson }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]{{ with .role.capabilities }}, add: {{ toJson . }}{{ end }}}
volumeMounts:
  {{- include "cheeper.mounts" . | nindent 2 }}
{{- end }}

{{/* What all pods have in common: no right in the cluster, no root. */}}
{{- define "cheeper.pod" -}}
serviceAccountName: {{ include "cheeper.fullname" .root }}-{{ .account }}
automountServiceAccountToken: false
enableServiceLinks: false
{{- with .root.Values.image.pullSecrets }}
imagePullSecrets: {{ toJson . }}
{{- end }}
securityContext:
  {{- include "cheeper.podSecurity" 10001 | nindent 2 }}
volumes:
  {{- include "cheeper.volumes" . | nindent 2 }}
{{- end }}

{{/* A part's egress rules to servers outside of the roles: (dict "root" $ "reaches" list). */}}
{{- define "cheeper.egress" -}}
{{- $root := .root -}}
{{- range .reaches }}
{{- $server := index $root.Values.network.servers . }}
- ports: [{{ range $i, $port := $server.ports }}{{ if $i }}, {{ end }}{protocol: TCP, port: {{ $port }}}{{ end }}]
  {{- with $server.to }}
  to:
    {{- tpl (toYaml .) $root | nindent 4 }}
  {{- end }}
{{- end }}
- ports: [{protocol: UDP, port: 53}, {protocol: TCP, port: 53}]
  {{- with .root.Values.network.dns }}
  to: {{ toJson . }}
  {{- end }}
{{- end }}
