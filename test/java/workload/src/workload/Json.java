// SPDX-License-Identifier: Apache-2.0
package workload;

import java.io.PrintStream;
import java.util.Map;

/** Builds one JSON object and prints it as one line. Not for use by several threads; {@link #print} is. */
final class Json {
    private static final PrintStream STDOUT = System.out;
    private final StringBuilder out = new StringBuilder("{");

    /** Sends what others print on stdout (RocketMQ's logging does) to stderr: stdout is for our lines alone. */
    static void ownStdout() {
        System.setOut(System.err);
    }

    static Json event(String kind) {
        return new Json().put("event", kind);
    }

    Json put(String name, String value) {
        return raw(name, quote(value));
    }

    Json put(String name, long value) {
        return raw(name, Long.toString(value));
    }

    Json put(String name, Map<String, Long> values) {
        StringBuilder inner = new StringBuilder("{");
        values.forEach((k, v) -> inner.append(inner.length() > 1 ? "," : "").append(quote(k)).append(':').append(v));
        return raw(name, inner.append('}').toString());
    }

    void print() {
        String line = out + "}\n";
        synchronized (STDOUT) {
            STDOUT.print(line);
            STDOUT.flush();
        }
    }

    private Json raw(String name, String value) {
        out.append(out.length() > 1 ? "," : "").append(quote(name)).append(':').append(value);
        return this;
    }

    private static String quote(String s) {
        StringBuilder b = new StringBuilder("\"");
        for (char c : s.toCharArray()) {
            if (c == '"' || c == '\\') {
                b.append('\\').append(c);
            } else if (c < 0x20) {
                b.append(String.format("\\u%04x", (int) c));
            } else {
                b.append(c);
            }
        }
        return b.append('"').toString();
    }
}
