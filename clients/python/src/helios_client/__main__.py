from helios_client.command import main

raise SystemExit(main())
