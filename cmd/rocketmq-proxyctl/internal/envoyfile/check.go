// SPDX-License-Identifier: Apache-2.0

package envoyfile

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	xds "github.com/cncf/xds/go/xds/type/v3"
	"go.yaml.in/yaml/v3"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/structpb"

	apiv1 "github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/api/v1"
)

// report notes what is wrong with a filter.
func (r *reader) report(f *Filter, finding Finding) {
	if !finding.Warning {
		f.Errors++
	}
	finding.Path = strings.TrimPrefix(finding.Path, ".")
	r.file.Findings = append(r.file.Findings, finding)
}

// add notes what is wrong with a value.
func (r *reader) add(f *Filter, n *yaml.Node, path, problem string) {
	r.report(f, Finding{Line: r.firstLine + n.Line, Path: path, Problem: problem})
}

// filter takes n up if it is the message that makes Envoy run this filter.
func (r *reader) filter(n *yaml.Node, p place) bool {
	where, name, message := p.path, typeOf(n, "@type"), n
	if name == typedStructType || name == oldTypedStruct { // as meshes write types that their control plane lacks
		if value := at(n, "value"); value != nil {
			where, name, message = where+".value", typeOf(n, "type_url"), value
		}
	}
	f := &Filter{Path: where, Line: r.firstLine + n.Line, wrapper: n}
	switch {
	case name == dynamicModuleType && (text(at(message, "dynamic_module_config", "name")) == moduleName || isOurs(at(message, "filter_config"))):
		f.Form = DynamicModule
	case name == golangType && (text(at(message, "plugin_name")) == pluginName || path.Base(text(at(message, "library_path"))) == libraryName || isOurs(at(message, "plugin_config"))):
		f.Form = Golang
	case name == rocketmqProxyType:
		f.Form = Own
	default:
		return false
	}
	for _, known := range r.file.Filters {
		if known.wrapper == n { // an alias: said once is enough
			known.listen(p.listener)
			return true
		}
	}
	f.listen(p.listener)
	r.file.Filters = append(r.file.Filters, f)
	switch f.Form {
	case DynamicModule:
		r.dynamicModule(f, message, p)
	case Golang:
		r.golang(f, message, p)
	default:
		r.typed(f, message, where, rocketmqProxyType)
	}
	return true
}

func (f *Filter) listen(l *Listener) {
	if l != nil && !slices.Contains(f.Listeners, l) {
		f.Listeners = append(f.Listeners, l)
	}
}

// isOurs tells whether the config of a module or a plugin is one of this filter.
func isOurs(config *yaml.Node) bool {
	for _, name := range []string{typeOf(config, "@type"), typeOf(config, "type_url")} {
		if name == filterConfigType || name == rocketmqProxyType {
			return true
		}
	}
	return false
}

func (r *reader) bare(root *yaml.Node, path string) {
	f := &Filter{Form: Bare, Path: path, Line: r.firstLine + root.Line, wrapper: root}
	r.file.Filters = append(r.file.Filters, f)
	name := filterConfigType
	if key, _ := member(root, "stat_prefix"); key != nil {
		name = rocketmqProxyType
	}
	r.typed(f, root, path, name)
}

// config reads what is in filter_config or plugin_config.
func (r *reader) config(f *Filter, wrapper *yaml.Node, member string) {
	path, config := f.Path+"."+member, at(wrapper, member)
	if config == nil {
		r.add(f, wrapper, path, "is missing")
		return
	}
	switch name := typeOf(config, "@type"); name {
	case typedStructType, oldTypedStruct:
		value := at(config, "value")
		if value == nil {
			r.add(f, config, path+".value", "is missing")
			return
		}
		r.typed(f, value, path+".value", typeOf(config, "type_url"))
	case filterConfigType:
		r.add(f, config, path, "has a type that no Envoy knows; write an xds.type.v3.TypedStruct with this type as its type_url")
		r.typed(f, config, path, name)
	case rocketmqProxyType:
		if f.Form == DynamicModule {
			r.report(f, Finding{
				Line: r.firstLine + config.Line, Path: path, Warning: true,
				Problem: "has a type that a stock Envoy does not know; write an xds.type.v3.TypedStruct with this type as its type_url",
			})
		}
		r.typed(f, config, path, name)
	default:
		r.other(f, config, path)
	}
}

// typed reads a message whose type is known.
func (r *reader) typed(f *Filter, value *yaml.Node, path, typeName string) {
	text, err := toJSON(value)
	if err != nil {
		r.add(f, value, path, fmt.Sprintf("cannot be read: %v", err))
		return
	}
	fields := &structpb.Struct{}
	if err := protojson.Unmarshal(text, fields); err != nil {
		r.add(f, value, path, "is not an object")
		return
	}
	delete(fields.Fields, "@type")
	any, err := anypb.New(&xds.TypedStruct{TypeUrl: "type.googleapis.com/" + typeName, Value: fields})
	if err != nil {
		r.add(f, value, path, err.Error())
		return
	}
	r.parse(f, any, value, path)
}

// other reads the remaining forms, which package api/v1 tells apart.
func (r *reader) other(f *Filter, config *yaml.Node, path string) {
	text, err := toJSON(config)
	any := &anypb.Any{}
	if err == nil {
		err = protojson.Unmarshal(text, any)
	}
	if err != nil {
		r.add(f, config, path, fmt.Sprintf("has the type %q; want an xds.type.v3.TypedStruct of %s or %s", typeOf(config, "@type"), filterConfigType, rocketmqProxyType))
		return
	}
	value := at(config, "value")
	if value == nil {
		value = config
	}
	r.parse(f, any, value, path+".value")
}

// parse has the filter's own code read and check a config.
func (r *reader) parse(f *Filter, any *anypb.Any, value *yaml.Node, path string) {
	config, err := apiv1.Read(any)
	if err == nil {
		f.Config = config
		return
	}
	var fields apiv1.Errors
	if !errors.As(err, &fields) {
		r.add(f, value, path, err.Error())
		return
	}
	for _, field := range fields {
		finding := Finding{Line: r.firstLine + lineOf(value, field.Path), Path: path + "." + field.Path, Problem: field.Problem}
		if part, of := strings.CutPrefix(field.Path, "the config"); of {
			finding.Path, finding.Line = path, r.firstLine+value.Line
			if part == "'s type_url" {
				finding.Path = strings.TrimSuffix(path, "value") + "type_url"
			}
		}
		r.report(f, finding)
	}
}
