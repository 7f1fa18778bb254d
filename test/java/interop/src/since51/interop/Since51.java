// SPDX-License-Identifier: Apache-2.0
package interop;

import java.util.Map;

/** What came with 5.1: the classes that these scenarios use had other names before. */
final class Since51 implements Catalog {
    @Override
    public void addTo(Map<String, Scenario> all) {
        all.put("pop-orderly", OrderlyPops::orderly);
    }
}
