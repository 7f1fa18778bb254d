// SPDX-License-Identifier: Apache-2.0
package interop;

import java.util.Collections;
import org.apache.rocketmq.client.exception.MQClientException;
import org.apache.rocketmq.client.producer.DefaultMQProducer;

/** The call that makes a topic, since 5.0 with attributes. */
final class CreateTopic {
    private CreateTopic() {
    }

    static void call(DefaultMQProducer client, String topic, int queues) throws MQClientException {
        client.createTopic("TBW102", topic, queues, Collections.emptyMap());
    }
}
