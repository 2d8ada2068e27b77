from cheeper_audit.cli import main

main()
