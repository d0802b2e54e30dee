package spec

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestGeneratedFilesAreInStep holds schema.json and docs/reference.md in step with the table of keys.
// go generate rewrites them.
func TestGeneratedFilesAreInStep(t *testing.T) {
	schema, err := json.MarshalIndent(buildSchema(), "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	for file, want := range map[string][]byte{
		"schema.json": append(schema, '\n'),
		filepath.Join("..", "docs", "reference.md"): buildReference(),
	} {
		if *update {
			if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, want, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		got, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(bytes.ReplaceAll(got, []byte("\r\n"), []byte("\n")), want) {
			t.Errorf("%s is not what the table of keys gives; run go generate ./spec", file)
		}
	}
}

type object = map[string]any

// Patterns of the schema. A value may also hold a variable.
const (
	durationPattern = `^(0|([0-9]+(\.[0-9]+)?(ms|s|m|h|d))+)$|\$\{`
	sizePattern     = `^(0|[0-9]+(\.[0-9]+)? ?([KkMmGgTt][Ii]?)?[Bb])$|\$\{`
	variablePattern = `\$\{`
)

func buildSchema() object {
	service := sectionSchema(serviceSection().root)
	defaults := sectionSchema(serviceSection().root)
	scalars := object{"type": []string{"string", "number", "boolean"}}
	return object{
		"$schema":              "http://json-schema.org/draft-07/schema#",
		"title":                "services.yaml of host",
		"type":                 "object",
		"additionalProperties": false,
		"patternProperties":    object{"^x-": object{}},
		"properties": object{
			"version":  object{"const": 1, "description": "Version of the format."},
			"include":  object{"$ref": "#/definitions/texts", "description": "Files with further services and vars: a name must exist, a pattern may match nothing, a ? in front makes a name optional."},
			"host":     describe(sectionSchema(hostSection().root), "The host itself."),
			"vars":     object{"type": "object", "additionalProperties": scalars, "description": "Variables, used as ${NAME}."},
			"env":      object{"$ref": "#/definitions/env", "description": "Environment of every service."},
			"notify":   describe(listOr(sectionSchema(notifySection().root)), "Where events go, beside the log."),
			"defaults": describe(defaults, "Keys of every service that says nothing else."),
			"services": object{
				"type": "object", "description": "What runs.",
				"propertyNames":        object{"anyOf": []any{object{"pattern": "^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$"}, object{"pattern": "^x-"}}},
				"additionalProperties": object{"$ref": "#/definitions/service"},
			},
		},
		"definitions": object{
			"service":   service,
			"env":       object{"type": []string{"object", "null"}, "additionalProperties": object{"type": []string{"string", "number", "boolean", "null"}}},
			"texts":     object{"anyOf": []any{object{"type": "string"}, object{"type": "array", "items": object{"type": []string{"string", "number", "boolean"}}}}},
			"duration":  object{"anyOf": []any{object{"type": "string", "pattern": durationPattern}, object{"const": 0}}},
			"size":      object{"anyOf": []any{object{"type": "string", "pattern": sizePattern}, object{"const": 0}}},
			"action":    actionSchema(),
			"secret":    secretSchema(),
			"probe":     sectionSchema(probeSection().root),
			"threshold": sectionSchema(thresholdSection().root),
			"step": object{"anyOf": []any{
				object{"type": "string"},
				object{"$ref": "#/definitions/action"},
				object{"type": "object", "minProperties": 1, "maxProperties": 1, "propertyNames": object{"pattern": "^([Ss][Ii][Gg])?[A-Za-z0-9_-]+$"},
					"additionalProperties": object{"anyOf": []any{object{"$ref": "#/definitions/duration"}, object{"type": "null"}}}},
			}},
		},
	}
}

// listOr is the schema of a list of mappings, or of one.
func listOr(one object) object {
	element := maps.Clone(one)
	element["type"] = "object"
	return object{"anyOf": []any{element, object{"type": "null"}, object{"type": "array", "items": element}}}
}

func actionSchema() object {
	return object{
		"type": "object", "additionalProperties": false,
		"oneOf": []any{object{"required": []string{"exec"}}, object{"required": []string{"http"}}},
		"properties": object{
			"exec":           object{"$ref": "#/definitions/texts", "description": "Program and arguments."},
			"http":           object{"type": "string", "description": "Method and address, such as POST http://127.0.0.1:8080/stop."},
			"timeout":        object{"$ref": "#/definitions/duration", "description": "Default 30s."},
			"ignore_failure": object{"type": "boolean", "description": "Default false."},
		},
	}
}

// secretSchema says where a secret may be found.
func secretSchema() object {
	text := object{"type": "string"}
	return object{
		"type": "object", "additionalProperties": false, "minProperties": 1, "maxProperties": 1,
		"properties": object{
			"file":       describe(object{"type": "string"}, "File that holds nothing else."),
			"env":        describe(object{"type": "string"}, "Variable of the host's environment."),
			"exec":       object{"anyOf": []any{text, object{"type": "array", "items": text}}, "description": "Program whose output it is."},
			"dpapi":      describe(object{"type": "string"}, "File made by host secret protect."),
			"credential": describe(object{"type": "string"}, "Name in the Credential Manager."),
		},
	}
}

func describe(o object, text string) object {
	o["description"] = text
	return o
}

// sectionSchema is the schema of a mapping with the keys of a group.
func sectionSchema(k *keyNode) object {
	properties := object{}
	for _, c := range k.order {
		if c.kind == kindLater {
			if len(c.off) > 0 {
				properties[c.name] = describe(object{"enum": offForms(c)}, "Not supported yet beyond this value.")
			}
			continue
		}
		s := keySchema(c)
		text := c.doc
		if c.def != "" {
			text += " Default: " + c.def + "."
		}
		properties[c.name] = describe(s, text)
	}
	return object{"type": []string{"object", "null"}, "additionalProperties": false, "patternProperties": object{"^x-": object{}}, "properties": properties}
}

func keySchema(k *keyNode) object {
	orVariable := func(o object) object {
		return object{"anyOf": []any{o, object{"type": "string", "pattern": variablePattern}, object{"type": "null"}}}
	}
	ref := func(name string) object {
		return object{"anyOf": []any{object{"$ref": "#/definitions/" + name}, object{"type": "null"}}}
	}
	switch k.kind {
	case kindText, kindPath:
		return object{"type": []string{"string", "number", "boolean", "null"}}
	case kindBool:
		return orVariable(object{"type": "boolean"})
	case kindInt:
		return orVariable(object{"type": "integer", "minimum": k.min, "maximum": k.max})
	case kindFactor:
		return orVariable(object{"type": "number", "minimum": k.min, "maximum": k.max})
	case kindDuration:
		return ref("duration")
	case kindSize:
		return ref("size")
	case kindPercent:
		return orVariable(object{"type": "string", "pattern": `^[0-9]+ ?%$`})
	case kindRate:
		return orVariable(object{"type": "string", "pattern": `^[0-9.]+ ?/ ?[smh]$`})
	case kindBurst:
		return orVariable(object{"anyOf": []any{object{"const": "auto"}, object{"type": "integer", "minimum": 1}}})
	case kindPort:
		return orVariable(object{"anyOf": []any{object{"const": "auto"}, object{"type": "integer", "minimum": 1, "maximum": 65535}}})
	case kindEnum:
		return orVariable(object{"enum": enumForms(k)})
	case kindTexts, kindCommand, kindPaths:
		return ref("texts")
	case kindEnv:
		return object{"$ref": "#/definitions/env"}
	case kindDepends:
		each := sectionSchema(k.children["*"])
		return object{"anyOf": []any{object{"$ref": "#/definitions/texts"}, object{"type": "null"}, object{"type": "object", "additionalProperties": object{"anyOf": []any{each, object{"type": "string"}}}}}}
	case kindCodes:
		return object{"anyOf": []any{object{"type": []string{"integer", "string", "null"}}, object{"type": "array", "items": object{"type": []string{"integer", "string"}}}}}
	case kindSteps:
		return object{"anyOf": []any{object{"$ref": "#/definitions/step"}, object{"type": "null"}, object{"type": "array", "minItems": 1, "items": object{"$ref": "#/definitions/step"}}}}
	case kindAuto:
		return object{"type": []string{"string", "null"}}
	case kindSwitch:
		return orVariable(object{"enum": []any{"auto", true, false}})
	case kindCores:
		return orVariable(object{"type": "string", "pattern": `^[0-9]+ ?%$`})
	case kindPriority:
		var names []any
		for _, p := range priorities {
			names = append(names, p.name)
			if dashed := strings.ReplaceAll(p.name, "_", "-"); dashed != p.name {
				names = append(names, dashed)
			}
		}
		return orVariable(object{"anyOf": []any{object{"enum": names}, object{"type": "integer", "minimum": -20, "maximum": 19}}})
	case kindAffinity:
		return object{"anyOf": []any{object{"type": []string{"integer", "string", "null"}}, object{"type": "array", "items": object{"type": []string{"integer", "string"}}}}}
	case kindSecret:
		return object{"anyOf": []any{object{"$ref": "#/definitions/secret"}, object{"type": "null"}}}
	case kindPattern, kindLimit:
		return object{"type": []string{"string", "integer", "null"}}
	case kindArgv:
		return ref("texts")
	case kindRequired:
		return object{"anyOf": []any{object{"type": []string{"integer", "string", "null"}}, object{"type": "array", "items": object{"type": []string{"integer", "string"}}}}}
	case kindActions:
		one := object{"$ref": "#/definitions/action"}
		return object{"anyOf": []any{one, object{"type": "null"}, object{"type": "array", "items": one}}}
	case kindOnChange:
		return object{"anyOf": []any{object{"enum": []any{"restart", nil}}, object{"$ref": "#/definitions/action"}, object{
			"type": "object", "additionalProperties": false, "required": []string{"signal"}, "properties": object{"signal": describe(object{"type": "string"}, "HUP, USR1, ctrl_break and so on.")},
		}}}
	case kindStatus:
		return object{"anyOf": []any{object{"type": []string{"integer", "string", "null"}}, object{"type": "array", "items": object{"type": []string{"integer", "string"}}}}}
	case kindProbe:
		return ref("probe")
	case kindList:
		return listOr(sectionSchema(k.children["*"]))
	case kindEnums:
		one := object{"anyOf": []any{object{"enum": enumForms(k)}, object{"type": "string", "pattern": variablePattern}}}
		return object{"anyOf": []any{one, object{"type": "null"}, object{"type": "array", "minItems": 1, "items": one}}}
	case kindMail:
		return ref("texts")
	case kindWebhook:
		return object{"anyOf": []any{object{"type": "string"}, object{"$ref": "#/definitions/secret"}, object{"type": "null"}}}
	case kindThresholds:
		one := object{"$ref": "#/definitions/threshold"}
		return object{"anyOf": []any{one, object{"type": "null"}, object{"type": "array", "items": one}}}
	case kindThresholdAction:
		return object{"anyOf": []any{object{"enum": []any{"log", "notify", "restart", "dump", nil}}, object{"type": "string", "pattern": variablePattern}, object{"$ref": "#/definitions/action"}}}
	case kindListen:
		return object{"type": []string{"string", "null"}}
	case kindGrowth:
		return orVariable(object{"type": "string", "pattern": `^[0-9]+(\.[0-9]+)? ?([KkMmGgTt][Ii]?)?[Bb] ?/ ?[hmd]$`})
	case kindLines:
		return object{"type": []string{"string", "number", "null"}}
	case kindPairs:
		return object{"type": []string{"object", "null"}, "additionalProperties": object{"type": []string{"string", "number", "boolean"}}}
	case kindNamed:
		return object{"type": []string{"object", "null"}, "additionalProperties": sectionSchema(k.children["*"])}
	case kindGroup:
		if k.short != "" {
			return object{"anyOf": []any{keySchema(k.children[k.short]), sectionSchema(k)}}
		}
		return sectionSchema(k)
	}
	panic("no schema for " + k.path)
}

// offForms lists the values of a later key that ask for nothing.
func offForms(k *keyNode) []any {
	forms := []any{nil}
	for _, v := range k.off {
		switch v {
		case "false":
			forms = append(forms, false)
		case "0":
			forms = append(forms, 0)
		case "no", "off":
		default:
			forms = append(forms, v)
		}
	}
	return forms
}

// enumForms lists the spellings of an enumeration that are worth offering.
func enumForms(k *keyNode) []any {
	var forms []any
	for _, v := range k.enum {
		forms = append(forms, v)
		if other := strings.ReplaceAll(v, "-", "_"); other != v {
			forms = append(forms, other)
		}
		if v == "no" {
			forms = append(forms, false)
		}
	}
	return forms
}

// typeWords names the type of a key in the reference.
func typeWords(k *keyNode) string {
	switch k.kind {
	case kindText:
		return "text"
	case kindPath:
		return "path"
	case kindBool:
		return "true or false"
	case kindInt:
		return fmt.Sprintf("number, %s to %s", plain(k.min), plain(k.max))
	case kindFactor:
		return fmt.Sprintf("number, %s to %s", plain(k.min), plain(k.max))
	case kindDuration:
		return "duration"
	case kindSize:
		return "size"
	case kindPercent:
		return "percentage"
	case kindRate:
		return "rate"
	case kindBurst:
		return "auto or a number"
	case kindEnum:
		return strings.Join(k.enum, ", ")
	case kindTexts:
		return "list of texts"
	case kindCommand:
		return "list, or text"
	case kindEnv:
		return "mapping"
	case kindPaths:
		return "list of paths"
	case kindPort:
		return "auto or 1 to 65535"
	case kindDepends:
		return "list, or mapping"
	case kindCodes:
		return "list of numbers"
	case kindSteps:
		return "list of steps"
	case kindAuto:
		return "auto or a name"
	case kindSwitch:
		return "auto, true or false"
	case kindCores:
		return "percentage of a core"
	case kindPriority:
		return "name, or -20 to 19"
	case kindAffinity:
		return "list of numbers, or 0-3"
	case kindArgv:
		return "list, or text"
	case kindRequired:
		if k.name == "ports" {
			return "list of numbers, or one"
		}
		return "list, or one"
	case kindActions:
		return "list of actions"
	case kindOnChange:
		return "restart, signal or action"
	case kindStatus:
		return "number, range, or list"
	case kindProbe:
		return "probe, below"
	case kindThresholds:
		return "list of thresholds, below"
	case kindThresholdAction:
		return "log, notify, restart, dump, or an action"
	case kindList:
		return "list"
	case kindEnums:
		return "list of " + strings.Join(k.enum, ", ")
	case kindMail:
		return "list of texts"
	case kindWebhook:
		return "text, or mapping"
	case kindListen:
		return "host:port"
	case kindGrowth:
		return "size per h, m or d"
	case kindSecret, kindNamed, kindPairs:
		return "mapping"
	case kindPattern:
		return "regular expression"
	case kindLimit:
		return "auto or a size"
	case kindLines:
		return "number, or rate"
	}
	panic("no words for " + k.path)
}

const referenceHead = `# Reference of services.yaml

Generated from the table of keys in ` + "`spec/keys.go`" + `; ` + "`go generate ./spec`" + ` rewrites it.

Durations look like ` + "`500ms`, `10s`, `5m`, `1h30m`, `7d`" + ` (only ` + "`0`" + ` needs no unit), sizes like ` + "`10MiB`" + ` (1024) or ` + "`10MB`" + ` (1000).
A relative path is relative to the folder of the file that says it. A key without a value has its default. Keys that begin with ` + "`x-`" + ` are yours.
Variables: ` + "`${NAME}`, `${NAME:-default}`, `${NAME:?message}`; `$${`" + ` writes a literal ` + "`${`" + `.

The class says what a change of the key does to what runs: **none** nothing (text only), **live** applied without a restart,
**scale** starts or stops instances, **restart** restarts the service, **next start** waits for the next start of the host.

## The file

| key | type | default | what it is |
|---|---|---|---|
| ` + "`version`" + ` | 1 | 1 | Version of the format. |
| ` + "`include`" + ` | list of paths | none | Files with further services and vars. A name must exist, a pattern may match nothing, ` + "`?`" + ` in front makes a name optional. |
| ` + "`host`" + ` | mapping | | The host itself, below. |
| ` + "`vars`" + ` | mapping | none | Variables. Looked up in: the service's own (` + "`HOST_SERVICE HOST_INSTANCE PORT HOST_DIR HOST_NAME HOST_EXE`" + `), ` + "`--set`" + `, ` + "`HOST_VAR_NAME`" + ` of the environment, vars, the environment. |
| ` + "`env`" + ` | mapping | none | Environment of every service; null removes a variable. |
| ` + "`defaults`" + ` | mapping | none | Any key of a service, for every service that says nothing else. |
| ` + "`notify`" + ` | list | none | Where events go, beside the log, below. |
| ` + "`services`" + ` | mapping | required | What runs, by name: letters, digits, - and _. |
`

func buildReference() []byte {
	var b bytes.Buffer
	b.WriteString(referenceHead)
	table := func(title, lead string, s *section) {
		fmt.Fprintf(&b, "\n## %s\n\n%s| key | type | default | class | what it is |\n|---|---|---|---|---|\n", title, lead)
		for _, k := range s.all {
			if k.kind == kindLater || k.kind == kindGroup {
				continue
			}
			class := strings.ReplaceAll(k.class, "_", " ")
			fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s |\n", k.path, typeWords(k), cell(k.def), class, cell(k.doc))
		}
	}
	table("host", "", hostSection())
	table("A service", "`restart` may be a plain value, which is `restart.policy`. An action is `{exec: [...], timeout: 30s, ignore_failure: false}` or `{http: \"POST http://…\", timeout: 30s}`.\n\n", serviceSection())
	table("A probe", "One of `http`, `tcp`, `exec`, `log`, `file` and `notify`, and how often it is asked: the words and defaults of Kubernetes.\n\n", probeSection())
	table("A threshold", "An element of `thresholds`, with one of the first seven keys.\n\n", thresholdSection())
	table("A notifier", "An element of `notify`, with one of `webhook`, `smtp` and `exec`.\n\n", notifySection())
	return b.Bytes()
}

func cell(s string) string {
	return strings.NewReplacer("|", `\|`, "<", "&lt;", ">", "&gt;").Replace(s)
}
