// SPDX-License-Identifier: Apache-2.0
package interop;

import java.util.List;
import org.apache.rocketmq.acl.common.AclClientRPCHook;
import org.apache.rocketmq.acl.common.SessionCredentials;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.rebalance.AllocateMessageQueueAveragely;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.remoting.RPCHook;

/** Clients that sign, at brokers that demand it. */
final class Signed {
    private static String accessKey;
    private static String secretKey;

    private Signed() {
    }

    /** The account that all scenarios use. */
    static void account(String key, String secret) {
        accessKey = key;
        secretKey = secret;
    }

    private static RPCHook hook(String secret) {
        return new AclClientRPCHook(new SessionCredentials(accessKey, secret));
    }

    static void signed(Run run) throws Exception {
        List<String> texts = Bodies.texts(run.name, 20);
        run.send(run.start(new DefaultMQProducer(run.group("producer"), hook(secretKey))), texts, "");
        run.consume(new DefaultMQPushConsumer(run.group("consumer"), hook(secretKey), new AllocateMessageQueueAveragely()), texts);
    }

    /** Fails with what the client is told. */
    static void wrongSecret(Run run) throws Exception {
        DefaultMQProducer producer = run.start(new DefaultMQProducer(run.group("producer"), hook("wrong-secret")));
        producer.send(run.message("not to be stored"));
    }
}
