// SPDX-License-Identifier: Apache-2.0

package requests

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"strings"
	"testing"

	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/test/golden"
)

func TestCodesPrintAsInJava(t *testing.T) {
	for code, want := range map[Code]string{SendMessageV2: "SEND_MESSAGE_V2", 4711: "UNKNOWN_REQUEST_CODE_4711"} {
		if got := code.String(); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	for _, row := range Table {
		if got, ok := CodeNamed(row.Name); got != row.Code || !ok {
			t.Errorf("%s: got %d, %v", row.Name, got, ok)
		}
	}
	if _, ok := CodeNamed("SEND"); ok {
		t.Error("SEND is a code")
	}
}

// TestConstantsAreNamedAsTheirRows: SendMessageV2 is SEND_MESSAGE_V2.
func TestConstantsAreNamedAsTheirRows(t *testing.T) {
	for name, code := range constantsOf(t) {
		if row := Of(code); !strings.EqualFold(name, strings.ReplaceAll(row.Name, "_", "")) {
			t.Errorf("%s is %d, which is %s", name, code, row.Name)
		}
	}
}

// constantsOf returns the constants of code.go with their names.
func constantsOf(t *testing.T) map[string]Code {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "code.go", nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	constants := make(map[string]Code)
	ast.Inspect(file, func(n ast.Node) bool {
		if spec, ok := n.(*ast.ValueSpec); ok && len(spec.Values) == 1 {
			if literal, ok := spec.Values[0].(*ast.BasicLit); ok {
				number, err := strconv.Atoi(literal.Value)
				if err != nil {
					t.Fatal(err)
				}
				constants[spec.Names[0].Name] = Code(number)
			}
		}
		return true
	})
	if len(constants) == 0 {
		t.Fatal("no constants")
	}
	return constants
}

// TestGoldenRequestsHaveTheCodesOfTheirNames compares with what clients and brokers have sent.
func TestGoldenRequestsHaveTheCodesOfTheirNames(t *testing.T) {
	for _, g := range golden.All(t) {
		typ := codec.JSON
		if g.Header[0] != '{' {
			typ = codec.ROCKETMQ
		}
		var h codec.Header
		if err := h.Parse(typ, g.Header); err != nil {
			t.Errorf("%s: %v", g.Name, err)
			continue
		}
		_, base, _ := strings.Cut(g.Name, "/")
		if name, _, _ := strings.Cut(base, "."); !h.IsResponse() && CodeOf(&h).String() != name {
			t.Errorf("%s: code %v", g.Name, CodeOf(&h))
		}
	}
}

func TestCutOffCodesGetTheirNumberBack(t *testing.T) {
	for _, tt := range []struct {
		code int32
		want Code
	}{
		{3442, PopMessage},
		{3443, AckMessage},
		{3448, 200056},
		{3449, 3449},
		{3441, 3441},
		{3462, PopLiteMessage},
		{3471, 200079},
		{3543, BatchAckMessage},
		{310, SendMessageV2},
		{-1, -1},
	} {
		h := codec.Header{Type: codec.ROCKETMQ, Code: tt.code}
		if got := CodeOf(&h); got != tt.want {
			t.Errorf("%d: got %v, want %v", tt.code, got, tt.want)
		}
		h.Type = codec.JSON
		if got := CodeOf(&h); got != Code(tt.code) {
			t.Errorf("%d in JSON: got %v", tt.code, got)
		}
	}
	for _, row := range Table {
		h := codec.Header{Type: codec.ROCKETMQ, Code: int32(int16(row.Code))}
		if got := CodeOf(&h); got != row.Code {
			t.Errorf("%s arrives as %d and is taken for %v", row.Name, h.Code, got)
		}
	}
}
