// SPDX-License-Identifier: Apache-2.0
package interop;

import static interop.Admin.mqadmin;
import static interop.Admin.unlessFinds;

/** mqadmin's commands about brokers. */
final class AdminBrokers {
    private AdminBrokers() {
    }

    /** A line for each broker, with its address and what it says of itself. */
    static void clusterList(Run run) throws Exception {
        String text = mqadmin(run, "clusterList");
        for (int i = 0; i < Run.BROKERS; i++) {
            unlessFinds(text, "^DefaultCluster\\s+broker-" + (char) ('a' + i) + "\\s+0\\s+" + Admin.BROKERS[i] + "\\s+V5_");
        }
    }

    static void status(Run run) throws Exception {
        for (String broker : Admin.BROKERS) {
            unlessFinds(mqadmin(run, "brokerStatus", "-b", broker), "^brokerVersionDesc\\s+: V5_", "^msgPutTotalTodayNow\\s+: \\d");
        }
    }

    static void consumeStats(Run run) throws Exception {
        AdminFixture f = AdminFixture.get(run);
        for (int i = 0; i < Run.BROKERS; i++) {
            unlessFinds(mqadmin(run, "brokerConsumeStats", "-b", Admin.BROKERS[i]),
                "^" + f.topic + "\\s+" + f.consumerGroup + "\\s+broker-" + (char) ('a' + i) + "\\s+0\\s+1\\s+1\\s+0\\s", "^Diff Total: \\d");
        }
    }

    /** Each broker gets a value of its own and keeps it. */
    static void updateConfig(Run run) throws Exception {
        for (int i = 0; i < Run.BROKERS; i++) {
            unlessFinds(mqadmin(run, "updateBrokerConfig", "-b", Admin.BROKERS[i], "-k", "flushConsumerOffsetInterval", "-v", "543" + i),
                "update broker config success");
        }
        for (int i = 0; i < Run.BROKERS; i++) {
            unlessFinds(mqadmin(run, "getBrokerConfig", "-b", Admin.BROKERS[i]), "^flushConsumerOffsetInterval\\s*=\\s*543" + i + "\\s*$");
        }
    }

    /** The name server then says that one broker may not be written to, and after addWritePerm that it may. */
    static void wipeWritePerm(Run run) throws Exception {
        String topic = AdminFixture.get(run).topic;
        unlessFinds(mqadmin(run, "wipeWritePerm", "-b", "broker-a"), "wipe write perm of broker\\[broker-a\\] .* OK, [1-9]");
        String wiped = mqadmin(run, "topicRoute", "-t", topic).replaceAll("\\s", "");
        unlessFinds(mqadmin(run, "addWritePerm", "-b", "broker-a"), "add write perm of broker\\[broker-a\\] .* OK, [1-9]");
        unlessFinds(wiped, "\"brokerName\":\"broker-a\",\"perm\":4", "\"brokerName\":\"broker-b\",\"perm\":6");
        unlessFinds(mqadmin(run, "topicRoute", "-t", topic).replaceAll("\\s", ""), "\"brokerName\":\"broker-a\",\"perm\":6");
    }
}
