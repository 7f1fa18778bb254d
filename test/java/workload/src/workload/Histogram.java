// SPDX-License-Identifier: Apache-2.0
package workload;

import java.util.concurrent.atomic.AtomicLongArray;

/** Latencies in microseconds, in buckets no wider than 1/32 of their value. Any thread may record. */
final class Histogram {
    private static final int SUB = 32;
    private final AtomicLongArray counts = new AtomicLongArray(SUB * 40);

    void record(long micros) {
        counts.incrementAndGet(index(Math.max(0, micros)));
    }

    /** Moves all counts into {@code total} (which may be null) and returns the moved ones. */
    Histogram drainInto(Histogram total) {
        Histogram taken = new Histogram();
        for (int i = 0; i < counts.length(); i++) {
            long n = counts.getAndSet(i, 0);
            taken.counts.set(i, n);
            if (total != null) {
                total.counts.addAndGet(i, n);
            }
        }
        return taken;
    }

    /** The latency that the share {@code p} (0 to 1) of all records does not exceed; 0 without records. */
    long percentile(double p) {
        long all = 0;
        for (int i = 0; i < counts.length(); i++) {
            all += counts.get(i);
        }
        long rank = Math.max(1, (long) Math.ceil(all * p));
        for (int i = 0; i < counts.length() && all > 0; i++) {
            rank -= counts.get(i);
            if (rank <= 0) {
                return upper(i);
            }
        }
        return 0;
    }

    // Values below SUB have a bucket each; above, an octave has SUB buckets.
    private static int index(long v) {
        if (v < SUB) {
            return (int) v;
        }
        int shift = 63 - Long.numberOfLeadingZeros(v) - 5;
        return Math.min(SUB * 40 - 1, (shift + 1) * SUB + (int) (v >>> shift) - SUB);
    }

    private static long upper(int i) {
        if (i < SUB) {
            return i;
        }
        int shift = i / SUB - 1;
        return ((long) (i % SUB + SUB + 1) << shift) - 1;
    }
}
