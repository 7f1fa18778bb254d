// SPDX-License-Identifier: Apache-2.0
package workload;

import java.time.Instant;
import java.time.temporal.ChronoUnit;
import org.apache.rocketmq.common.message.Message;

/** When a message was sent, in microseconds of the wall clock: only for producers and consumers on one machine. */
final class Stamp {
    private static final String PROPERTY = "sentMicros";

    private Stamp() {}

    static void put(Message message) {
        message.putUserProperty(PROPERTY, Long.toString(now()));
    }

    /** Microseconds since the message was sent, or -1 if it does not say. */
    static long age(Message message) {
        String sent = message.getUserProperty(PROPERTY);
        return sent == null ? -1 : Math.max(0, now() - Long.parseLong(sent));
    }

    private static long now() {
        return ChronoUnit.MICROS.between(Instant.EPOCH, Instant.now());
    }
}
