// SPDX-License-Identifier: Apache-2.0
package workload;

import java.util.SortedMap;
import java.util.TreeMap;
import org.apache.rocketmq.acl.common.AclUtils;
import org.apache.rocketmq.common.AbortProcessException;
import org.apache.rocketmq.namesrv.NamesrvController;
import org.apache.rocketmq.namesrv.NamesrvStartup;
import org.apache.rocketmq.remoting.RPCHook;
import org.apache.rocketmq.remoting.protocol.RemotingCommand;
import org.apache.rocketmq.remoting.protocol.ResponseCode;

/**
 * RocketMQ's name server, which refuses requests without a signature of an account that it was given by
 * {@code -Dguard.<access key>=<secret key>}. Signatures are computed by RocketMQ's own code. Its arguments are those
 * of the name server.
 */
public final class GuardedNameServer implements RPCHook {
    private GuardedNameServer() {}

    public static void main(String[] argv) throws Exception {
        NamesrvStartup.parseCommandlineAndConfigFile(argv);
        NamesrvController controller = NamesrvStartup.createNamesrvController();
        if (!controller.initialize()) {
            throw new IllegalStateException("the name server cannot be initialized");
        }
        controller.getRemotingServer().registerRPCHook(new GuardedNameServer());
        controller.start();
    }

    @Override
    public void doBeforeRequest(String client, RemotingCommand request) {
        SortedMap<String, String> fields = new TreeMap<>();
        if (request.getExtFields() != null) {
            fields.putAll(request.getExtFields());
        }
        String signature = fields.remove("Signature");
        String key = fields.get("AccessKey");
        String secret = key == null ? null : System.getProperty("guard." + key);
        if (secret == null || !AclUtils.calSignature(AclUtils.combineRequestContent(request, fields), secret).equals(signature)) {
            throw new AbortProcessException(ResponseCode.NO_PERMISSION, "guarded: no valid signature of " + key);
        }
    }

    @Override
    public void doAfterResponse(String client, RemotingCommand request, RemotingCommand response) {}
}
