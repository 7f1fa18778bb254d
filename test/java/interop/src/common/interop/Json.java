// SPDX-License-Identifier: Apache-2.0
package interop;

/** Writes one line of JSON. */
final class Json {
    private final StringBuilder out = new StringBuilder("{");

    Json put(String name, String value) {
        key(name);
        if (value == null) {
            out.append("null");
            return this;
        }
        out.append('"');
        for (char c : value.toCharArray()) {
            if (c == '"' || c == '\\') {
                out.append('\\').append(c);
            } else if (c < ' ') {
                out.append(String.format("\\u%04x", (int) c));
            } else {
                out.append(c);
            }
        }
        out.append('"');
        return this;
    }

    Json put(String name, long value) {
        key(name);
        out.append(value);
        return this;
    }

    private void key(String name) {
        out.append(out.length() == 1 ? "\"" : ",\"").append(name).append("\":");
    }

    @Override
    public String toString() {
        return out + "}";
    }
}
