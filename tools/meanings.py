"""What relays mean, in our words, for the tables of the documentation."""

RELAY_MEANINGS = {
    "cp": "the control pilot line is connected",
    "r2": "2.74 kΩ from control pilot to protective earth: state B",
    "r3": "1.30 kΩ in parallel to it: state C",
    "r4": "270 Ω in parallel to it: state D",
    "diode_bypass": "the diode in series is bypassed: fault",
    "cp_pe_short": "control pilot and protective earth are shorted: fault, state E",
    "pe_open": "protective earth of the signal loop is open: fault",
    "pp": "the proximity contact is connected",
    "pp_13": "1.5 kΩ on the proximity contact: cable for 13 A",
    "pp_20": "680 Ω: 20 A",
    "pp_32": "220 Ω: 32 A",
    "pp_63": "100 Ω: 63 A",
}
