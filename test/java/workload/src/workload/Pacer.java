// SPDX-License-Identifier: Apache-2.0
package workload;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * Hands out times to act, {@code rate} per second over all threads, and none while the program rests. With a wave the
 * rate falls to a tenth and rises again, once in each of its periods, beginning at the lowest. Time lost to a stall of more than 100 ms
 * is not caught up: a burst afterwards would measure the workload, not what it runs against.
 */
final class Pacer {
    private static final long MAX_LAG = TimeUnit.MILLISECONDS.toNanos(100);
    private static final long REST_STEP = TimeUnit.MILLISECONDS.toNanos(10);
    private final double interval;
    private final double period;
    private final long start = System.nanoTime();
    private double next = start;

    /**
     * @param rate actions per second; 0 = no limit
     * @param wave seconds of a period; 0 = none
     */
    Pacer(double rate, double wave) {
        interval = rate > 0 ? TimeUnit.SECONDS.toNanos(1) / rate : 0;
        period = wave * TimeUnit.SECONDS.toNanos(1);
    }

    /** Waits for the caller's turn. Returns false if the program was told to stop meanwhile. */
    boolean await() {
        while (Program.resting() && !Program.stopping()) {
            LockSupport.parkNanos(REST_STEP);
        }
        if (interval > 0) {
            long turn = take();
            for (long left; !Program.stopping() && (left = turn - System.nanoTime()) > 0; ) {
                LockSupport.parkNanos(Math.min(left, MAX_LAG));
            }
        }
        return !Program.stopping();
    }

    private synchronized long take() {
        next = Math.max(next, System.nanoTime() - MAX_LAG);
        double turn = next;
        next += interval / height(turn);
        return (long) turn;
    }

    /** The part of the rate that is due at a time. */
    private double height(double nanos) {
        return period > 0 ? 0.55 - 0.45 * Math.cos(2 * Math.PI * (nanos - start) / period) : 1;
    }
}
