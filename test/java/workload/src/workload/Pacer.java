// SPDX-License-Identifier: Apache-2.0
package workload;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * Hands out times to act, {@code rate} per second over all threads. Time lost to a stall of more than 100 ms
 * is not caught up: a burst afterwards would measure the workload, not what it runs against.
 */
final class Pacer {
    private static final long MAX_LAG = TimeUnit.MILLISECONDS.toNanos(100);
    private final double interval;
    private double next = System.nanoTime();

    /** @param rate actions per second; 0 = no limit */
    Pacer(double rate) {
        interval = rate > 0 ? TimeUnit.SECONDS.toNanos(1) / rate : 0;
    }

    /** Waits for the caller's turn. Returns false if the program was told to stop meanwhile. */
    boolean await() {
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
        next += interval;
        return (long) turn;
    }
}
