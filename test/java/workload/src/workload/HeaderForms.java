// SPDX-License-Identifier: Apache-2.0
package workload;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.rocketmq.remoting.protocol.LanguageCode;
import org.apache.rocketmq.remoting.protocol.RemotingCommand;

/**
 * Reads headers from its input, one a line, and prints what RocketMQ's own decoder makes of each. A JSON header stands as it
 * is, a ROCKETMQ header in hexadecimal digits. See codec/testdata/header-forms.txt.
 */
final class HeaderForms {
    private HeaderForms() {}

    public static void main(String[] arguments) throws Exception {
        try (BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8))) {
            for (String line = in.readLine(); line != null; line = in.readLine()) {
                System.out.println("form " + reading(line));
            }
        }
    }

    private static String reading(String line) {
        try {
            RemotingCommand command = decode(line);
            List<String> parts = new ArrayList<>();
            parts.add("code=" + command.getCode());
            // Where a header has none, each command gets the next number of the server's.
            parts.add("opaque=" + (decode(line).getOpaque() == command.getOpaque() ? command.getOpaque() : "?"));
            if (command.getFlag() != 0) {
                parts.add("flag=" + command.getFlag());
            }
            if (command.getVersion() != 0) {
                parts.add("version=" + command.getVersion());
            }
            if (command.getLanguage() != null && command.getLanguage() != LanguageCode.JAVA) {
                parts.add("language=" + command.getLanguage());
            }
            if (command.getRemark() != null && !command.getRemark().isEmpty()) {
                parts.add("remark=" + command.getRemark());
            }
            for (Map.Entry<?, ?> field : sorted(command.getExtFields()).entrySet()) {
                if (field.getValue() != null) {
                    parts.add("extFields." + field.getKey() + "=" + field.getValue());
                }
            }
            return String.join(" ", parts);
        } catch (Exception e) {
            return "refused";
        }
    }

    private static Map<?, ?> sorted(Map<?, ?> fields) {
        Map<String, Object> sorted = new TreeMap<>();
        if (fields != null) {
            fields.forEach((name, value) -> sorted.put(name == null ? "" : String.valueOf(name), value));
        }
        return sorted;
    }

    private static RemotingCommand decode(String line) throws Exception {
        int type = line.matches("[0-9a-f]+") ? 1 : 0;
        byte[] header = type == 0 ? line.getBytes(StandardCharsets.UTF_8) : new byte[line.length() / 2];
        for (int i = 0; type == 1 && i < header.length; i++) {
            header[i] = (byte) Integer.parseInt(line.substring(2 * i, 2 * i + 2), 16);
        }
        ByteBuffer frame = ByteBuffer.allocate(4 + header.length).putInt(type << 24 | header.length).put(header);
        frame.flip();
        return RemotingCommand.decode(frame);
    }
}
