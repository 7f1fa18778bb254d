// SPDX-License-Identifier: Apache-2.0
package interop;

import java.util.List;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.producer.DefaultMQProducer;

/** Clients that speak TLS. They check no certificate, as is the default of Java's. */
final class Tls {
    private Tls() {
    }

    static void tls(Run run) throws Exception {
        DefaultMQProducer producer = new DefaultMQProducer(run.group("producer"));
        producer.setUseTLS(true);
        List<String> texts = Bodies.texts(run.name, 20);
        run.send(run.start(producer), texts, "");
        DefaultMQPushConsumer consumer = new DefaultMQPushConsumer(run.group("consumer"));
        consumer.setUseTLS(true);
        run.consume(consumer, texts);
    }
}
