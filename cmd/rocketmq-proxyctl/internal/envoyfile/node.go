// SPDX-License-Identifier: Apache-2.0

package envoyfile

import (
	"encoding/json"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// real follows an alias to what it stands for.
func real(n *yaml.Node) *yaml.Node {
	for n != nil && n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	return n
}

// pairs calls f for each member of a mapping, those of merged mappings (<<) included.
func pairs(n *yaml.Node, f func(key, value *yaml.Node)) {
	n = real(n)
	if n == nil || n.Kind != yaml.MappingNode {
		return
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], real(n.Content[i+1])
		if key.Tag != "!!merge" {
			f(key, value)
			continue
		}
		merged := []*yaml.Node{value}
		if value.Kind == yaml.SequenceNode {
			merged = value.Content
		}
		for _, m := range merged {
			// Only plain ones: a merge inside a merge, perhaps into itself, is left alone.
			if m = real(m); m.Kind == yaml.MappingNode {
				for j := 0; j+1 < len(m.Content); j += 2 {
					if m.Content[j].Tag != "!!merge" {
						f(m.Content[j], real(m.Content[j+1]))
					}
				}
			}
		}
	}
}

// member finds a member of a mapping by its name in a proto file; users may write it in camel case too.
func member(n *yaml.Node, name string) (key, value *yaml.Node) {
	camel := camelCase(name)
	pairs(n, func(k, v *yaml.Node) {
		if key == nil && (k.Value == name || k.Value == camel) {
			key, value = k, v
		}
	})
	return key, value
}

// at is a member below a member; nil when one of them is missing.
func at(n *yaml.Node, names ...string) *yaml.Node {
	for _, name := range names {
		_, n = member(n, name)
	}
	return n
}

// text is the value of a scalar; "" for anything else.
func text(n *yaml.Node) string {
	if n = real(n); n != nil && n.Kind == yaml.ScalarNode && n.Tag != "!!null" {
		return n.Value
	}
	return ""
}

// elements are those of a sequence; none for anything else.
func elements(n *yaml.Node) []*yaml.Node {
	if n = real(n); n != nil && n.Kind == yaml.SequenceNode {
		return n.Content
	}
	return nil
}

// typeOf is the message type in "@type", or in another member with a type URL, without what stands before the slash.
func typeOf(n *yaml.Node, name string) string {
	_, value := member(n, name)
	url := text(value)
	return url[strings.LastIndexByte(url, '/')+1:]
}

func camelCase(name string) string {
	words := strings.Split(name, "_")
	for i, word := range words[1:] {
		if word != "" {
			words[i+1] = strings.ToUpper(word[:1]) + word[1:]
		}
	}
	return strings.Join(words, "")
}

// toJSON turns a tree into JSON.
func toJSON(n *yaml.Node) ([]byte, error) {
	var value any
	if err := n.Decode(&value); err != nil {
		return nil, err
	}
	return json.Marshal(value)
}

var pathStep = regexp.MustCompile(`[^.\[\]]+|\[\d+\]`)

// lineOf is the line of what a path below n names or, where the path leaves the tree, of the last thing before that.
func lineOf(n *yaml.Node, path string) int {
	line := n.Line
	for _, step := range pathStep.FindAllString(path, -1) {
		if step[0] == '[' {
			i, err := strconv.Atoi(step[1 : len(step)-1])
			list := elements(n)
			if err != nil || i >= len(list) {
				return line
			}
			line, n = list[i].Line, real(list[i])
			continue
		}
		key, value := member(n, step)
		if key == nil {
			return line
		}
		line, n = key.Line, value
	}
	return line
}
