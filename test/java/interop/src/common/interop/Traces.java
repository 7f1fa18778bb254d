// SPDX-License-Identifier: Apache-2.0
package interop;

import org.apache.rocketmq.client.producer.DefaultMQProducer;

/** Message trace: clients tell a topic of its own what became of each message. */
final class Traces {
    private static final String TOPIC = "RMQ_SYS_TRACE_TOPIC";

    private Traces() {
    }

    static void trace(Run run) throws Exception {
        DefaultMQProducer producer = run.start(new DefaultMQProducer(run.group("producer"), null, true, null));
        String id = Run.stored(producer.send(run.message("traced"))).getMsgId();
        boolean found = false;
        for (int i = 0; i < 12 && !found; i++) {
            Thread.sleep(1000);
            found = Bodies.texts(run.drain(TOPIC, 0, 0)).stream().anyMatch(t -> t.contains(id));
        }
        Failure.unless(found, "no trace of the message in " + TOPIC);
    }
}
