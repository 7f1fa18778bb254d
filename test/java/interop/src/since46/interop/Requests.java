// SPDX-License-Identifier: Apache-2.0
package interop;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyContext;
import org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyStatus;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.producer.RequestCallback;
import org.apache.rocketmq.client.utils.MessageUtil;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageExt;

/** A message that waits for another as its answer, which a broker pushes to the one who asked. */
final class Requests {
    private static final int REQUESTS = 8;

    private Requests() {
    }

    private static void startReplier(Run run) throws Exception {
        DefaultMQProducer replier = run.producer();
        DefaultMQPushConsumer consumer = run.pushConsumer(run.group("consumer"));
        consumer.subscribe(run.topic(), "*");
        consumer.registerMessageListener((List<MessageExt> some, ConsumeConcurrentlyContext context) -> {
            for (MessageExt m : some) {
                try {
                    byte[] body = ("re: " + Bodies.text(m)).getBytes(StandardCharsets.UTF_8);
                    replier.send(MessageUtil.createReplyMessage(m, body), 5000);
                } catch (Exception e) {
                    e.printStackTrace();
                }
            }
            return ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
        });
        consumer.start();
    }

    static void requestReply(Run run) throws Exception {
        startReplier(run);
        DefaultMQProducer asker = run.start(new DefaultMQProducer(run.group("asker")));
        for (String text : Bodies.texts(run.name, REQUESTS)) {
            Message reply = asker.request(run.message(text), 30_000);
            Failure.unless(reply != null, "no reply");
            Failure.unlessEqual("re: " + text, Bodies.text(reply), "reply");
        }
    }

    static void requestReplyAsync(Run run) throws Exception {
        startReplier(run);
        DefaultMQProducer asker = run.start(new DefaultMQProducer(run.group("asker")));
        for (String text : Bodies.texts(run.name, REQUESTS)) {
            CompletableFuture<Message> reply = new CompletableFuture<>();
            asker.request(run.message(text), new RequestCallback() {
                @Override
                public void onSuccess(Message m) {
                    reply.complete(m);
                }

                @Override
                public void onException(Throwable e) {
                    reply.completeExceptionally(e);
                }
            }, 30_000);
            Message m = reply.get(40, TimeUnit.SECONDS);
            Failure.unless(m != null, "called back without a reply");
            Failure.unlessEqual("re: " + text, Bodies.text(m), "reply");
        }
    }
}
