from projector.cli.main import main

main()
