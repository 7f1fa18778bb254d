// SPDX-License-Identifier: Apache-2.0

package body

import (
	"strings"
	"testing"
)

func TestUniqueConsumerIDs(t *testing.T) {
	for src, want := range map[string]string{
		`{"consumerIdList":["a@1","b@2"]}`:                          `{"consumerIdList":["a@1","b@2"]}`,
		`{"consumerIdList":["a@1","a@1"]}`:                          `{"consumerIdList":["a@1"]}`,
		`{"consumerIdList":["a","b","a","a","c","b"]}`:              `{"consumerIdList":["a","b","c"]}`,
		`{ "x" : 1 , "consumerIdList" : [ "a" , "\u0061" , "b" ] }`: `{ "x" : 1 , "consumerIdList" : [ "a" , "b" ] }`,
		`{"consumerIdList":[]}`:                                     `{"consumerIdList":[]}`,
		`{"consumerIdList":null}`:                                   `{"consumerIdList":null}`,
		`{}`:                                                        `{}`,
	} {
		got, err := UniqueConsumerIDs([]byte(src))
		if err != nil || string(got) != want {
			t.Errorf("%s: got %s, %v; want %s", src, got, err, want)
		}
	}
	for _, src := range []string{``, `[]`, `{"consumerIdList":{}}`, `{"consumerIdList":[1]}`, `{"consumerIdList":["a"],"consumerIdList":["b"]}`, `{"consumerIdList":["a"`} {
		if got, err := UniqueConsumerIDs([]byte(src)); err == nil {
			t.Errorf("%s: got %s", src, got)
		}
	}
	many := `{"consumerIdList":[` + strings.TrimSuffix(strings.Repeat(`"a",`, maxEntries+1), ",") + `]}`
	if _, err := UniqueConsumerIDs([]byte(many)); err == nil {
		t.Error("a list without end is taken")
	}
}
