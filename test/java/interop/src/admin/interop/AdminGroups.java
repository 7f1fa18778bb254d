// SPDX-License-Identifier: Apache-2.0
package interop;

import static interop.Admin.mqadmin;
import static interop.Admin.unlessFinds;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

/** mqadmin's commands about groups of producers and consumers. */
final class AdminGroups {
    private AdminGroups() {
    }

    /** Each queue of each broker is consumed up to its end. */
    static void progress(Run run) throws Exception {
        AdminFixture f = AdminFixture.get(run);
        String text = mqadmin(run, "consumerProgress", "-g", f.consumerGroup);
        for (String broker : new String[] {"broker-a", "broker-b"}) {
            for (int q = 0; q < Run.QUEUES_PER_BROKER; q++) {
                unlessFinds(text, "^" + f.topic + "\\s+" + broker + "\\s+" + q + "\\s+1\\s+1\\s+0\\s");
            }
        }
        unlessFinds(text, "^Consume Diff Total: 0");
    }

    static void consumers(Run run) throws Exception {
        AdminFixture f = AdminFixture.get(run);
        unlessFinds(mqadmin(run, "consumerConnection", "-g", f.consumerGroup), "^" + Pattern.quote(f.consumerId) + "\\s+.*JAVA",
            "^" + f.topic + "\\s+\\*", "^ConsumeType: CONSUME_PASSIVELY", "^MessageModel: CLUSTERING");
        for (String broker : Admin.BROKERS) {
            unlessFinds(mqadmin(run, "consumerConnection", "-g", f.consumerGroup, "-b", broker), "^" + Pattern.quote(f.consumerId));
        }
    }

    static void producers(Run run) throws Exception {
        AdminFixture f = AdminFixture.get(run);
        unlessFinds(mqadmin(run, "producerConnection", "-g", f.producerGroup, "-t", f.topic), "^0001\\s+" + Pattern.quote(f.producerId) + "\\s+.*JAVA");
    }

    /** Asks the consumer itself, by way of a broker. */
    static void consumerStatus(Run run) throws Exception {
        AdminFixture f = AdminFixture.get(run);
        unlessFinds(mqadmin(run, "consumerStatus", "-g", f.consumerGroup), "^1\\s+" + Pattern.quote(f.consumerId) + "\\s+V5_", "^Rebalance OK");
        unlessFinds(mqadmin(run, "consumerStatus", "-g", f.consumerGroup, "-i", f.consumerId, "-s"), f.topic, "ConsumeMessageThread");
    }

    static void update(Run run) throws Exception {
        String group = run.group("made");
        for (String broker : Admin.BROKERS) {
            unlessFinds(mqadmin(run, "updateSubGroup", "-b", broker, "-g", group, "-q", "1", "-r", "7"), "create subscription group to .* success");
        }
        Failure.unless(!Admin.BROKERS[0].equals(Admin.BROKERS[1]), "every broker has the address that -b names");
    }

    /** The consumer is told by its brokers to begin again, and gets each message a second time. */
    static void resetOffset(Run run) throws Exception {
        AdminFixture f = AdminFixture.get(run);
        String text = mqadmin(run, "resetOffsetByTime", "-g", f.consumerGroup, "-t", f.topic, "-s", String.valueOf(f.before));
        for (String broker : new String[] {"broker-a", "broker-b"}) {
            for (int q = 0; q < Run.QUEUES_PER_BROKER; q++) {
                unlessFinds(text, "^" + broker + "\\s+" + q + "\\s+0\\s");
            }
        }
        List<String> twice = new ArrayList<>(f.texts);
        twice.addAll(f.texts);
        f.seen.await(twice, "consumed before and after the reset");
    }
}
