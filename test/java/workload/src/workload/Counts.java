// SPDX-License-Identifier: Apache-2.0
package workload;

import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.atomic.LongAdder;

/** Counters by name. Any thread may add. */
final class Counts {
    private final Map<String, LongAdder> byName = new ConcurrentSkipListMap<>();

    void add(String name, long n) {
        byName.computeIfAbsent(name, k -> new LongAdder()).add(n);
    }

    long sum() {
        return byName.values().stream().mapToLong(LongAdder::sum).sum();
    }

    Map<String, Long> snapshot() {
        Map<String, Long> out = new TreeMap<>();
        byName.forEach((k, v) -> out.put(k, v.sum()));
        return out;
    }

    /** {@code now - before}, name by name. */
    static Map<String, Long> difference(Map<String, Long> now, Map<String, Long> before) {
        Map<String, Long> out = new TreeMap<>();
        now.forEach((k, v) -> out.put(k, v - before.getOrDefault(k, 0L)));
        return out;
    }
}
