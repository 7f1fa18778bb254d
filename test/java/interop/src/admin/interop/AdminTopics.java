// SPDX-License-Identifier: Apache-2.0
package interop;

import static interop.Admin.mqadmin;
import static interop.Admin.unlessFinds;

/** mqadmin's commands about topics. */
final class AdminTopics {
    private AdminTopics() {
    }

    /** On each broker by its address: 3 queues here, 5 there. */
    static void update(Run run) throws Exception {
        for (int i = 0; i < Run.BROKERS; i++) {
            String n = String.valueOf(3 + 2 * i);
            unlessFinds(mqadmin(run, "updateTopic", "-b", Admin.BROKERS[i], "-t", run.topic(), "-r", n, "-w", n), "create topic to .* success");
        }
        unlessRoute(run, "\"brokerName\":\"broker-a\"[^}]*\"readQueueNums\":3", "\"brokerName\":\"broker-b\"[^}]*\"readQueueNums\":5");
    }

    static void delete(Run run) throws Exception {
        unlessFinds(mqadmin(run, "updateTopic", "-c", "DefaultCluster", "-t", run.topic(), "-r", "2", "-w", "2"), "create topic to .* success");
        unlessFinds(mqadmin(run, "deleteTopic", "-c", "DefaultCluster", "-t", run.topic()),
            "delete topic .* from cluster .* success", "delete topic .* from NameServer success");
        unlessFinds(mqadmin(run, "topicRoute", "-t", run.topic()), "CODE: 17 ");
        String list = mqadmin(run, "topicList");
        Failure.unless(!list.contains(run.topic()), "the topic is still listed");
    }

    static void list(Run run) throws Exception {
        unlessFinds(mqadmin(run, "topicList"), "^" + AdminFixture.get(run).topic + "\\s*$", "^TBW102\\s*$");
    }

    /** The route names both brokers, each by the address that a client may use. */
    static void route(Run run) throws Exception {
        String text = mqadmin(run, "topicRoute", "-t", AdminFixture.get(run).topic).replaceAll("\\s", "");
        for (int i = 0; i < Run.BROKERS; i++) {
            String name = "broker-" + (char) ('a' + i);
            unlessFinds(text, "\"brokerAddrs\":\\{\"?0\"?:\"" + Admin.BROKERS[i] + "\"[^}]*\\},\"brokerName\":\"" + name + "\"");
        }
    }

    /** One message in each queue of each broker. */
    static void status(Run run) throws Exception {
        String text = mqadmin(run, "topicStatus", "-t", AdminFixture.get(run).topic);
        for (String broker : new String[] {"broker-a", "broker-b"}) {
            for (int q = 0; q < Run.QUEUES_PER_BROKER; q++) {
                unlessFinds(text, "^" + broker + "\\s+" + q + "\\s+0\\s+1\\s");
            }
        }
    }

    private static void unlessRoute(Run run, String... patterns) throws Exception {
        for (int i = 0; ; i++) {
            String text = mqadmin(run, "topicRoute", "-t", run.topic()).replaceAll("\\s", "");
            try {
                unlessFinds(text, patterns);
                return;
            } catch (Failure f) {
                if (i == 5) {
                    throw f;
                }
                Thread.sleep(500);
            }
        }
    }
}
