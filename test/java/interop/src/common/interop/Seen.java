// SPDX-License-Identifier: Apache-2.0
package interop;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyStatus;
import org.apache.rocketmq.client.consumer.listener.ConsumeOrderlyStatus;
import org.apache.rocketmq.client.consumer.listener.MessageListenerConcurrently;
import org.apache.rocketmq.client.consumer.listener.MessageListenerOrderly;
import org.apache.rocketmq.common.message.MessageExt;

/** What push consumers were given. */
final class Seen {
    private final List<MessageExt> messages = new ArrayList<>();

    synchronized void add(Collection<MessageExt> some) {
        messages.addAll(some);
    }

    synchronized List<MessageExt> messages() {
        return new ArrayList<>(messages);
    }

    List<String> texts() {
        return Bodies.texts(messages());
    }

    synchronized int size() {
        return messages.size();
    }

    MessageListenerConcurrently concurrently() {
        return (some, context) -> {
            add(some);
            return ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
        };
    }

    MessageListenerOrderly orderly() {
        return (some, context) -> {
            add(some);
            return ConsumeOrderlyStatus.SUCCESS;
        };
    }

    /** Waits until these messages have come, then a second longer for any that should not. */
    void await(Collection<String> want, String what) throws Exception {
        long end = System.currentTimeMillis() + 40_000;
        while (size() < want.size() && System.currentTimeMillis() < end) {
            Thread.sleep(20);
        }
        Thread.sleep(1000);
        Failure.unlessSame(want, texts(), what);
    }
}
