/** The Russian texts of passkeys, one-time codes, recovery codes and app passwords: see russian.js. */

export const texts = {
  // Proving who one is.
  "Confirm it is you": "Подтвердите, что это вы",
  "None of these at hand? Ask an administrator to remove them from your account.":
    "Ничего из этого нет под рукой? Попросите администратора удалить второй фактор.",
  "Back to the login": "Вернуться ко входу",
  "One-time code": "Код из приложения",
  "The six digits in your authenticator app.": "Шесть цифр из приложения-аутентификатора.",
  "Wrong or used code. Enter the next one that the app shows. If it fails too, check the clock of your phone.":
    "Код неверный или уже использован. Введите следующий код из приложения. Если не подойдёт и он, проверьте часы " +
    "телефона.",
  "Recovery code": "Резервный код",
  "This recovery code is wrong or used already. Enter another one of your list.":
    "Резервный код неверный или уже использован. Введите другой код из списка.",
  "It works once.": "Действует один раз.",
  "This browser cannot use passkeys. Log in with another one.":
    "Этот браузер не поддерживает ключи доступа. Войдите в другом браузере.",
  "Continue": "Продолжить",
  "Use a passkey": "Использовать ключ доступа",
  "Use a recovery code": "Ввести резервный код",
  "Use another way": "Подтвердить другим способом",
  "You have used a recovery code": "Использован резервный код",
  "If you have lost your passkey or your authenticator app, delete it in your account and set up a new one.":
    "Если ключ доступа или приложение-аутентификатор утеряны, удалите их в своей учётной записи и настройте новые.",
  "Recovery codes left: {count}": "Осталось резервных кодов: {count}",
  "This needs a recent login, with your second factor if you have one.":
    "Для этого нужен недавний вход, а если настроен второй фактор, то вход с ним.",
  "Set up a second factor": "Настройте второй фактор",
  "It is required here. Either of these will do: a stolen password alone then opens nothing.":
    "Здесь он обязателен. Подойдёт любой из двух: тогда одного украденного пароля недостаточно для входа.",

  // Passkeys.
  "Passkeys": "Ключи доступа",
  "A passkey logs you in with a fingerprint, a face or a PIN, without the password.":
    "С ключом доступа вы входите без пароля: по отпечатку пальца, лицу или PIN-коду.",
  "Passkeys do not work here. They need HTTPS, a host name instead of an IP address, and a recent browser.":
    "Ключи доступа здесь не работают. Нужны HTTPS, имя хоста вместо IP-адреса и новая версия браузера.",
  "Add a passkey…": "Добавить ключ доступа…",
  "Add a passkey": "Новый ключ доступа",
  "Give it a name that tells you later where it is.": "Дайте ему имя, по которому вспомните, где он хранится.",
  "Add passkey": "Добавить",
  "The passkey is added.": "Ключ доступа добавлен.",
  "It does not log you in any more. Delete it on your device too.":
    "Войти с ним больше не получится. Удалите его и на своём устройстве.",
  "The passkey is deleted.": "Ключ доступа удалён.",

  // The authenticator app.
  "Authenticator app": "Приложение-аутентификатор",
  "After the password, the login asks for a code that an app on your phone shows.":
    "После пароля при входе нужно ввести код из приложения на телефоне.",
  "Set up…": "Настроить…",
  "Replace…": "Заменить…",
  "Set up an authenticator app": "Настройка приложения",
  "Scan the code with an app for one-time codes (TOTP), or type the secret there.":
    "Отсканируйте QR-код приложением для одноразовых кодов (TOTP) или введите в него секретный ключ.",
  "QR code": "QR-код",
  "Secret:": "Секретный ключ:",
  "Open the app on this device": "Открыть приложение на этом устройстве",
  "Confirm": "Подтвердить",
  "The authenticator app is set up.": "Приложение-аутентификатор настроено.",
  "The login does not ask for its codes any more.": "Коды из него при входе больше не понадобятся.",
  "The authenticator app is removed.": "Приложение-аутентификатор удалено.",

  // Recovery codes.
  "Recovery codes": "Резервные коды",
  "Each replaces a lost passkey or authenticator app once.":
    "Каждый из них один раз заменяет утерянный ключ доступа или приложение.",
  "Make new codes…": "Создать новые коды…",
  "Make new recovery codes?": "Создать новые резервные коды?",
  "The old codes become invalid.": "Старые коды перестанут действовать.",
  "Make new codes": "Создать новые",
  "Your recovery codes": "Ваши резервные коды",
  "For {login} at {site}. Each works once, in place of a lost passkey or authenticator app.":
    "Для {login} на {site}. Каждый действует один раз, вместо утерянного ключа доступа или приложения.",
  "They are shown only now: copy or print them.": "Они показываются только сейчас: скопируйте или напечатайте их.",
  "Copy codes": "Скопировать",
  "Print": "Напечатать",

  // App passwords.
  "App passwords": "Пароли приложений",
  "For programs that know only login and password, such as Git or a calendar. They do not open this page.":
    "Для программ, которым нужны логин и пароль, например Git или календаря. Эту страницу они не открывают.",
  "Make an app password…": "Создать пароль приложения…",
  "Make an app password": "Новый пароль приложения",
  "Give it the name of the program that will use it.": "Назовите программу, которая будет его использовать.",
  "Make password": "Создать пароль",
  "Your app password": "Ваш пароль приложения",
  "App password": "Пароль приложения",
  "The password is shown only now. Use it with the login {login}.":
    "Пароль показывается только сейчас. Логин для программы: {login}.",
  "Copy password": "Скопировать пароль",
  "Programs that use it have no access any more.": "Программы, которые его используют, потеряют доступ.",
  "The app password is deleted.": "Пароль приложения удалён.",

  // All of them.
  "Name": "Название",
  "Added {created}": "Добавлено: {created}",
  "Not used yet": "Ещё не использовалось",
  "Last used {used}": "Использовалось: {used}",
  "Rename": "Переименовать",
  "Rename {name}": "Переименовать: {name}",
  "Delete {name}": "Удалить: {name}",
  "Delete {name}?": "Удалить: {name}?",
};
