// SPDX-License-Identifier: Apache-2.0
package interop;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageExt;

/** Messages and their texts. */
final class Bodies {
    private Bodies() {
    }

    /** n different texts. */
    static List<String> texts(String start, int n) {
        List<String> all = new ArrayList<>();
        for (int i = 0; i < n; i++) {
            all.add(start + "-" + i);
        }
        return all;
    }

    static Message message(String topic, String tag, String text) {
        return new Message(topic, tag, text, text.getBytes(StandardCharsets.UTF_8));
    }

    static Message message(String topic, String text) {
        return message(topic, "", text);
    }

    static String text(Message m) {
        return new String(m.getBody(), StandardCharsets.UTF_8);
    }

    static List<String> texts(Collection<? extends MessageExt> messages) {
        List<String> all = new ArrayList<>();
        for (MessageExt m : messages) {
            all.add(text(m));
        }
        return all;
    }
}
