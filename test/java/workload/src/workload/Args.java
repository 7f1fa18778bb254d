// SPDX-License-Identifier: Apache-2.0
package workload;

import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/** Command line of the form {@code --name value}. A missing, unknown or malformed option throws. */
final class Args {
    private final Map<String, String> values = new HashMap<>();
    private final Set<String> unread = new HashSet<>();

    Args(String[] argv) {
        for (int i = 0; i < argv.length; i += 2) {
            if (!argv[i].startsWith("--") || i + 1 == argv.length) {
                throw new IllegalArgumentException("want --name value pairs, got " + argv[i]);
            }
            values.put(argv[i].substring(2), argv[i + 1]);
        }
        unread.addAll(values.keySet());
    }

    String text(String name) {
        String v = text(name, null);
        if (v == null) {
            throw new IllegalArgumentException("--" + name + " is required");
        }
        return v;
    }

    String text(String name, String otherwise) {
        unread.remove(name);
        return values.getOrDefault(name, otherwise);
    }

    long number(String name, long otherwise) {
        String v = text(name, null);
        try {
            return v == null ? otherwise : Long.parseLong(v);
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException("--" + name + " " + v + " is not a number", e);
        }
    }

    /** Throws if an option was given that nobody asked for: call it after the last one was read. */
    void done() {
        if (!unread.isEmpty()) {
            throw new IllegalArgumentException("unknown options " + unread);
        }
    }
}
