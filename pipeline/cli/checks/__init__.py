"""What ``mspbyte doctor`` looks at, each answered in a sentence and with what mends it."""
