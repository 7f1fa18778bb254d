// SPDX-License-Identifier: Apache-2.0
package interop;

import static interop.Admin.mqadmin;
import static interop.Admin.unlessFinds;

import org.apache.rocketmq.client.producer.SendResult;

/** mqadmin's commands about messages. */
final class AdminMessages {
    private AdminMessages() {
    }

    /** All messages of both brokers have this key. */
    static void byKey(Run run) throws Exception {
        AdminFixture f = AdminFixture.get(run);
        String text = mqadmin(run, "queryMsgByKey", "-t", f.topic, "-k", "key-1");
        for (SendResult s : f.sent) {
            unlessFinds(text, "^" + s.getMsgId() + "\\s+" + s.getMessageQueue().getQueueId() + "\\s+0\\s*$");
        }
    }

    static void byUniqueKey(Run run) throws Exception {
        AdminFixture f = AdminFixture.get(run);
        for (SendResult s : f.sent) {
            unlessFinds(mqadmin(run, "queryMsgByUniqueKey", "-t", f.topic, "-i", s.getMsgId()),
                "^Topic:\\s+" + f.topic, "^Queue ID:\\s+" + s.getMessageQueue().getQueueId());
        }
    }

    /** By the id that holds a broker's own address, to which mqadmin connects. */
    static void byOffsetId(Run run) throws Exception {
        AdminFixture f = AdminFixture.get(run);
        for (SendResult s : f.sent) {
            unlessFinds(mqadmin(run, "queryMsgById", "-t", f.topic, "-i", s.getOffsetMsgId()),
                "^Topic:\\s+" + f.topic, "^Queue ID:\\s+" + s.getMessageQueue().getQueueId());
        }
    }

    static void send(Run run) throws Exception {
        for (String broker : new String[] {"broker-a", "broker-b"}) {
            unlessFinds(mqadmin(run, "sendMessage", "-t", run.topic(), "-p", "hello", "-b", broker, "-i", "1"), "^" + broker + "\\s+1\\s+SEND_OK\\s+\\w");
        }
        Failure.unlessEqual(2, run.drain(run.topic(), 2, 10_000).size(), "messages");
    }

    static void consume(Run run) throws Exception {
        AdminFixture f = AdminFixture.get(run);
        String text = mqadmin(run, "consumeMessage", "-t", f.topic);
        for (String body : f.texts) {
            unlessFinds(text, body);
        }
    }
}
