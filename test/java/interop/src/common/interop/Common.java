// SPDX-License-Identifier: Apache-2.0
package interop;

import java.util.Map;

/** The scenarios that every client can do. */
final class Common implements Catalog {
    @Override
    public void addTo(Map<String, Scenario> all) {
        all.put("send-sync", Sends::sync);
        all.put("send-async", Sends::async);
        all.put("send-oneway", Sends::oneway);
        all.put("send-batch", Sends::batch);
        all.put("send-4mib", Sends::large);
        all.put("send-compressed", Sends::compressed);
        all.put("send-delayed", Sends::delayed);
        all.put("send-vip-channel", Sends::vipChannel);
        all.put("one-broker-topic", Sends::sync);
        all.put("auto-create-topic", Topics::auto);
        all.put("create-topic", Topics::create);
        all.put("push-concurrent", Pushes::concurrent);
        all.put("push-orderly", Pushes::orderly);
        all.put("push-broadcast", Pushes::broadcast);
        all.put("push-two-members", Pushes::twoMembers);
        all.put("filter-tag", Filters::tag);
        all.put("filter-sql", Filters::sql);
        all.put("retry-dead-letter", Retries::deadLetter);
        all.put("pull", Pulls::pull);
        all.put("offsets", Pulls::offsets);
        all.put("tx-commit", Transactions::commit);
        all.put("tx-rollback", Transactions::rollback);
        all.put("tx-check-back", Transactions::checkBack);
        all.put("query-key", Queries::byKey);
        all.put("query-unique-id", Queries::byUniqueId);
        all.put("query-offset-id", Queries::byOffsetId);
        all.put("trace", Traces::trace);
        all.put("bare-pull", Bare::pull);
        all.put("bare-max-offset", Bare::maxOffset);
        all.put("bare-commit-offset", Bare::commitOffset);
        all.put("bare-lock", Bare::lock);
        all.put("acl1-signed", Signed::signed);
        all.put("acl1-wrong-secret", Signed::wrongSecret);
        all.put("acl2-signed", Signed::signed);
        all.put("acl2-wrong-secret", Signed::wrongSecret);
        all.put("tls", Tls::tls);
    }
}
