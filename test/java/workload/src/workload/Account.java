// SPDX-License-Identifier: Apache-2.0
package workload;

import org.apache.rocketmq.acl.common.AclClientRPCHook;
import org.apache.rocketmq.acl.common.SessionCredentials;
import org.apache.rocketmq.remoting.RPCHook;

/** The account with which a client signs its requests: {@code --access-key K --secret-key S}; without them it signs none. */
final class Account {
    private Account() {}

    /** What a client is constructed with; null if it shall not sign. */
    static RPCHook hook(Args args) {
        String key = args.text("access-key", null);
        return key == null ? null : new AclClientRPCHook(new SessionCredentials(key, args.text("secret-key")));
    }
}
