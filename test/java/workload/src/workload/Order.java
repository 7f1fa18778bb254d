// SPDX-License-Identifier: Apache-2.0
package workload;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;
import org.apache.rocketmq.common.message.Message;

/** Watches that the messages of one order key arrive in the order in which they were sent. */
final class Order {
    /** User property: the order key. */
    static final String KEY = "orderKey";
    /** User property: the message's number within its key, from 0. */
    static final String NUMBER = "orderNumber";

    private final Map<String, Long> last = new ConcurrentHashMap<>();
    private final LongAdder violations = new LongAdder();

    /** Gaps are no violation (a send may have failed, another member may own the queue for a while); going back is. */
    void arrived(Message message) {
        String key = message.getUserProperty(KEY);
        if (key == null) {
            return;
        }
        long number = Long.parseLong(message.getUserProperty(NUMBER));
        Long before = last.put(key, number);
        if (before != null && number < before) {
            violations.increment();
        }
    }

    long violations() {
        return violations.sum();
    }
}
