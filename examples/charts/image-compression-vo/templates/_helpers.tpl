{{- define "selector" -}}
app: {{ .Release.Name }}
{{- end }}
{{- define "labels" -}}
{{ include "selector" . }}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}
{{- define "ports" -}}
{{- $ports := .Values.voDescriptorOverwrite.bindingNB.ports -}}
- {name: catalogue, port: {{ .Values.voDescriptorOverwrite.catalogue }}, protocol: TCP}
- {name: http, port: {{ $ports.httpPort }}, protocol: TCP}
- {name: coap, port: {{ $ports.coapPort }}, protocol: UDP}
{{- end }}
