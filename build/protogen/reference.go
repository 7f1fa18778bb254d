// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"strings"

	"google.golang.org/protobuf/compiler/protogen"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// reference is the page that lists every option, from the comments of the .proto file.
func reference(file *protogen.File) string {
	var b strings.Builder
	fmt.Fprintf(&b, `# Configuration

<!-- Written by build/protogen from %s: change it there. -->

The filter's options, as they stand under `+"`filter_config`"+` (dynamic module) or `+"`plugin_config`"+` (Golang filter) in a TypedStruct:

`+"```yaml"+`
"@type": type.googleapis.com/xds.type.v3.TypedStruct
type_url: type.googleapis.com/%s
value:
  rocketmq_proxy: {stat_prefix: demo}
  clusters:
  - {name: DefaultCluster, name_servers: ["127.0.0.1:9876"]}
  addressing:
    unified: {}
`+"```"+`

Durations are written in seconds, as `+"`2.5s`"+` or `+"`300s`"+`. An unknown option, or one with a value that is not allowed, is an error that names it, in Envoy's log
and from `+"`rocketmq-proxyctl check`"+`. [envoy-config](../envoy-config/) has whole Envoy configs.
`, file.Desc.Path(), file.Messages[0].Desc.FullName())
	for _, message := range file.Messages {
		fmt.Fprintf(&b, "\n## %s\n\n", message.Desc.Name())
		if text := prose(message.Comments.Leading); text != "" {
			b.WriteString(text + "\n\n")
		}
		b.WriteString("| option | type | |\n| --- | --- | --- |\n")
		for _, field := range message.Fields {
			text := prose(field.Comments.Leading)
			if field.Oneof != nil && !field.Oneof.Desc.IsSynthetic() {
				text = "One of `" + strings.Join(names(field.Oneof), "`, `") + "`. " + text
			}
			fmt.Fprintf(&b, "| `%s` | %s | %s |\n", field.Desc.Name(), typeOf(field), text)
		}
		for _, enum := range message.Enums {
			fmt.Fprintf(&b, "\n`%s`:", enum.Desc.Name())
			for _, value := range enum.Values {
				fmt.Fprintf(&b, "\n- `%s`: %s", value.Desc.Name(), prose(value.Comments.Leading))
			}
			b.WriteString("\n")
		}
	}
	return b.String()
}

// prose is a comment on one line, as Markdown.
func prose(comment protogen.Comments) string {
	return strings.NewReplacer("<", `\<`, "|", `\|`).Replace(strings.Join(strings.Fields(string(comment)), " "))
}

func names(oneof *protogen.Oneof) (all []string) {
	for _, field := range oneof.Fields {
		all = append(all, string(field.Desc.Name()))
	}
	return all
}

// typeOf names a field's type; those of this file link to their sections.
func typeOf(field *protogen.Field) string {
	name := field.Desc.Kind().String()
	switch {
	case field.Desc.IsMap():
		return fmt.Sprintf("map from %s to %s", field.Desc.MapKey().Kind(), typeOf(field.Message.Fields[1]))
	case field.Enum != nil:
		name = string(field.Enum.Desc.Name())
	case field.Message != nil:
		name = messageType(field)
	}
	if field.Desc.Cardinality() == protoreflect.Repeated {
		return "list of " + name
	}
	return name
}

func messageType(field *protogen.Field) string {
	switch name := field.Message.Desc.Name(); {
	case field.Message.Desc.ParentFile() == field.Desc.ParentFile():
		return fmt.Sprintf("[%s](#%s)", name, strings.ToLower(string(name)))
	case field.Message.Desc.FullName().Parent() == "google.protobuf":
		return strings.ToLower(strings.TrimSuffix(string(name), "Value"))
	default:
		return "Envoy's " + string(name)
	}
}
