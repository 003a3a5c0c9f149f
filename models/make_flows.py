#!/usr/bin/env python3
"""Make a synthetic table of network flows, with the columns of UNSW-NB15 and none of its rows.

    python3 make_flows.py [--rows N] [--seed N] >flows.csv

Nothing here was measured: every value comes from a random generator, and the label follows a rule that is planted (a
few attacks look like normal flows, and the other way round). It is for tests and for trying things out; an accuracy
reached on it says nothing about intrusion detection. The columns have the kinds that the real table has: categories,
counters, durations and rates with many decimals, sequence numbers, flags.
"""

import argparse
import random

COLUMNS = """dur proto service state spkts dpkts sbytes dbytes rate sttl dttl sload dload sloss dloss sinpkt dinpkt sjit
djit swin stcpb dtcpb dwin tcprtt synack ackdat smean dmean trans_depth response_body_len ct_srv_src ct_state_ttl
ct_dst_ltm ct_src_dport_ltm ct_dst_sport_ltm ct_dst_src_ltm is_ftp_login ct_ftp_cmd ct_flw_http_mthd ct_src_ltm ct_srv_dst
is_sm_ips_ports""".split()
ATTACKS = ["Exploits", "Fuzzers", "Generic", "DoS", "Reconnaissance"]
SERVICES = {"tcp": ["-", "http", "ftp", "smtp", "ssh"], "udp": ["-", "dns", "snmp"]}


def decimals(x, digits=6):
    """Format as such tables do: no trailing zeros."""
    text = f"{x:.{digits}f}".rstrip("0").rstrip(".")
    return text or "0"


def flow(rng, attack):
    """One row, as a dictionary of texts."""
    hidden = rng.random() < 0.06  # looks like the other class
    odd = attack != hidden
    proto = rng.choices(["tcp", "udp", "arp", "ospf", "sctp"], [4, 5, 0.3, 1.2, 0.5] if odd else [7, 3, 0.6, 0.1, 0.02])[0]
    tcp = proto == "tcp"
    one_way = rng.random() < (0.75 if odd and not tcp else 0.08)
    spkts = rng.randint(1, 3) if one_way else 2 + int(rng.expovariate(1 / 14))
    dpkts = 0 if one_way else 1 + int(rng.expovariate(1 / 12))
    smean = int(min(1500, 44 + rng.expovariate(1 / (180 if odd else 90))))
    dmean = int(min(1500, 44 + rng.expovariate(1 / (60 if odd else 320)))) if dpkts else 0
    dur = rng.randint(1, 12) * 1e-6 if one_way else min(59.999999, rng.expovariate(1 / 0.9))
    sbytes, dbytes = spkts * smean, dpkts * dmean
    gap = lambda n: dur * 1000 / n if n > 1 else 0
    handshake = [rng.uniform(0.0004, 0.2) for _ in range(2)] if tcp and dpkts else [0, 0]
    near = lambda mean: 1 + min(58, int(rng.expovariate(1 / mean)))
    row = {name: "0" for name in COLUMNS}
    row.update(
        dur=decimals(dur), proto=proto, service=rng.choice(SERVICES.get(proto, ["-"])),
        state="INT" if one_way else rng.choice(["FIN", "CON", "REQ"] if tcp else ["CON"]),
        spkts=str(spkts), dpkts=str(dpkts), sbytes=str(sbytes), dbytes=str(dbytes),
        rate=decimals((spkts + dpkts - 1) / dur), sttl=str(rng.choice([254, 254, 254, 62] if odd else [31, 31, 254, 62, 64])),
        dttl=str(rng.choice([252, 252, 0] if odd else [29, 29, 252, 60])) if dpkts else "0",
        sload=decimals(8 * sbytes / dur), dload=decimals(8 * dbytes / dur),
        sloss=str(rng.randint(0, spkts // 3)), dloss=str(rng.randint(0, dpkts // 3)),
        sinpkt=decimals(gap(spkts)), dinpkt=decimals(gap(dpkts)),
        sjit=decimals(gap(spkts) * rng.uniform(0.1, 9)), djit=decimals(gap(dpkts) * rng.uniform(0.1, 5)),
        swin="255" if tcp else "0", dwin="255" if tcp and dpkts else "0",
        stcpb=str(rng.getrandbits(32)) if tcp else "0", dtcpb=str(rng.getrandbits(32)) if tcp and dpkts else "0",
        tcprtt=decimals(sum(handshake)), synack=decimals(handshake[0]), ackdat=decimals(handshake[1]),
        smean=str(smean), dmean=str(dmean), trans_depth=str(int(rng.random() < 0.2)),
        response_body_len=str(int(rng.expovariate(1 / 3000)) if rng.random() < 0.1 else 0),
        ct_state_ttl=str(rng.choice([1, 2, 2] if odd else [0, 0, 1])),
        is_ftp_login=str(int(rng.random() < 0.02)), ct_ftp_cmd=str(int(rng.random() < 0.02)),
        ct_flw_http_mthd=str(int(rng.random() < 0.15)), is_sm_ips_ports=str(int(not odd and rng.random() < 0.03)))
    for name in COLUMNS:
        if name.startswith("ct_") and name.split("_")[-1] in ("src", "ltm", "dst"):
            row[name] = str(near(7 if odd else 3))
    return row


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--rows", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    rng = random.Random(options.seed)
    print(",".join(["id", *COLUMNS, "attack_cat", "label"]))
    for number in range(1, options.rows + 1):
        attack = rng.random() < 0.55
        row = flow(rng, attack)
        kind = rng.choice(ATTACKS) if attack else "Normal"
        print(",".join([str(number), *(row[name] for name in COLUMNS), kind, str(int(attack))]))


if __name__ == "__main__":
    main()
