// SPDX-License-Identifier: Apache-2.0
package interop;

import java.util.Map;

/** What came with 4.6 and 4.7. */
final class Since46 implements Catalog {
    @Override
    public void addTo(Map<String, Scenario> all) {
        all.put("lite-pull-subscribe", LitePulls::subscribe);
        all.put("lite-pull-assign", LitePulls::assign);
        all.put("request-reply", Requests::requestReply);
        all.put("request-reply-async", Requests::requestReplyAsync);
        all.put("namespace", Namespaces::namespace);
    }
}
