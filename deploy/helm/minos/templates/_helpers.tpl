{{- define "minos.name" -}}
{{- if contains "minos" .Release.Name }}{{ .Release.Name | trunc 50 }}{{ else }}{{ printf "%s-minos" (.Release.Name | trunc 44) }}{{ end }}
{{- end }}

{{- define "minos.selector" -}}
app.kubernetes.io/name: minos
app.kubernetes.io/instance: {{ .root.Release.Name }}
{{- with .part }}
app.kubernetes.io/component: {{ . }}
{{- end }}
{{- end }}

{{- define "minos.labels" -}}
{{ include "minos.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version }}
{{- end }}

{{- define "minos.image" -}}
{{- if .Values.image.digest }}{{ printf "%s@%s" .Values.image.repository .Values.image.digest }}
{{- else }}{{ printf "%s:%s" .Values.image.repository (.Values.image.tag | default .Chart.AppVersion) }}{{ end }}
{{- end }}

{{- define "minos.host" -}}
{{ (urlParse (required "settings.ISSUER: the https URL of this authority, in every token" .Values.settings.ISSUER)).host }}
{{- end }}

{{/* Seconds of a duration as Minos takes it: a number, or one with s, m, h or d. */}}
{{- define "minos.seconds" -}}
{{- $number := regexFind "^[0-9]+" (toString .) | int }}
{{- $unit := regexFind "[smhd]$" (toString .) | default "s" }}
{{- mul $number (get (dict "s" 1 "m" 60 "h" 3600 "d" 86400) $unit) }}
{{- end }}

{{/* The Secrets of one part: those of all and its own, by setting. */}}
{{- define "minos.secrets" -}}
{{- toYaml (merge (dict) (get .root.Values.secrets .part) .root.Values.secrets.all) }}
{{- end }}

{{- define "minos.environment" -}}
{{- range $name, $value := .root.Values.settings }}
- name: MINOS_{{ $name }}
  value: {{ $value | toString | quote }}
{{- end }}
{{- range $name, $_ := include "minos.secrets" . | fromYaml }}
- name: MINOS_{{ $name }}_FILE
  value: /run/secrets/minos/{{ $name }}
{{- end }}
{{- range $name, $_ := .root.Values.files }}
- name: MINOS_{{ $name }}
  value: /run/secrets/minos/{{ $name }}
{{- end }}
{{- if not (hasKey .root.Values.settings "HOST") }}
- name: MINOS_HOST
  value: 0.0.0.0
{{- end }}
- name: MINOS_METRICS_HOST
  value: 0.0.0.0
{{- range $name, $value := .root.Values.environment }}
- name: {{ $name | quote }}
{{- if kindIs "map" $value }}
  valueFrom: { secretKeyRef: { name: {{ $value.name | quote }}, key: {{ $value.key | quote }} } }
{{- else }}
  value: {{ $value | toString | quote }}
{{- end }}
{{- end }}
{{- end }}

{{- define "minos.mounts" -}}
- { name: temporary, mountPath: /tmp }
- { name: secrets, mountPath: /run/secrets/minos, readOnly: true }
{{- if .Values.storage.keys.existingClaim }}
- { name: keys, mountPath: /var/lib/minos/keys }
{{- end }}
{{- if .Values.storage.secondPlace.existingClaim }}
- { name: second-place, mountPath: /var/lib/minos/second-place }
{{- end }}
{{- end }}

{{- define "minos.volumes" -}}
- name: temporary
  emptyDir: { sizeLimit: 256Mi }
- name: secrets
  projected:
    defaultMode: 0440
    sources:
{{- range $name, $from := include "minos.secrets" . | fromYaml }}
      - secret: { name: {{ $from.name | quote }}, items: [{ key: {{ $from.key | quote }}, path: {{ $name }} }] }
{{- end }}
{{- range $name, $from := .root.Values.files }}
      - {{ empty $from.secret | ternary "configMap" "secret" }}: { name: {{ $from.secret | default $from.configMap | quote }}, items: [{ key: {{ $from.key | quote }}, path: {{ $name }} }] }
{{- end }}
{{- with .root.Values.storage.keys.existingClaim }}
- name: keys
  persistentVolumeClaim: { claimName: {{ . | quote }} }
{{- end }}
{{- with .root.Values.storage.secondPlace.existingClaim }}
- name: second-place
  persistentVolumeClaim: { claimName: {{ . | quote }} }
{{- end }}
{{- end }}

{{/* What every pod of ours is held to. */}}
{{- define "minos.pod" -}}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile: { type: RuntimeDefault }
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
{{- range . }}
  - name: {{ . | quote }}
{{- end }}
{{- end }}
{{- end }}

{{- define "minos.container" -}}
image: {{ include "minos.image" . | quote }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: { drop: [ALL] }
{{- end }}

{{- define "minos.placing" -}}
{{- $own := get .root.Values .part }}
topologySpreadConstraints:
  - maxSkew: 1
    topologyKey: kubernetes.io/hostname
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels: {{- include "minos.selector" . | nindent 8 }}
    matchLabelKeys: [pod-template-hash]
{{- with $own.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $own.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* Without these two places personal data cannot be opened after a restart, or a restore goes unnoticed. */}}
{{- define "minos.check" -}}
{{- if not (or .Values.storage.keys.existingClaim .Values.settings.KEYS_DIR) }}
{{- fail "storage.keys.existingClaim or settings.KEYS_DIR (a bucket) has to be given: every pod needs the same keys of the months" }}
{{- end }}
{{- if not (or .Values.storage.secondPlace.existingClaim .Values.settings.SECOND_PLACE) }}
{{- fail "storage.secondPlace.existingClaim or settings.SECOND_PLACE (a bucket) has to be given" }}
{{- end }}
{{- end }}
