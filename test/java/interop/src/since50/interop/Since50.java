// SPDX-License-Identifier: Apache-2.0
package interop;

import java.util.Map;

/** What came with 5.0. */
final class Since50 implements Catalog {
    @Override
    public void addTo(Map<String, Scenario> all) {
        all.put("pop", Pops::pop);
    }
}
